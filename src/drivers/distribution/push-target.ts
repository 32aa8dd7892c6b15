import { isDigest, sha256, type Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import type { Reference } from "#lib/reference.ts";
import type { Descriptor } from "#types/oci/image.ts";
import { EndpointChoice } from "./endpoint-choice.ts";
import { originEndpoints } from "./endpoints.ts";
import { ConnectionFailure, LogInRefusal, RegistryRefusal } from "./failure.ts";
import { addToFallback } from "./referrers.ts";
import { readRefusal } from "./refusal.ts";
import { withRetries } from "./retry.ts";
import { RegistryTransport } from "./transport.ts";
import type { ManifestName, RegistryCredentials, RegistrySettings } from "./types.ts";
import { beginUpload, cancelUpload, uploadBlob, type UploadOptions } from "./upload.ts";

/** What a mount was answered with: the blob is there, or an upload was begun for it, or neither. */
export type MountResult =
  { readonly type: "mounted" } | { readonly type: "begun"; readonly location: string } | { readonly type: "refused" };

export interface ManifestToPush {
  /** Tag, or its digest where it shall have no other name. */
  readonly name: ManifestName;
  readonly mediaType: string;
  readonly bytes: Uint8Array;
}

/** One repository of a registry for the time of one push. All its errors are in Docker's words and without secrets. */
export class PushTarget {
  readonly #transport: RegistryTransport;
  readonly #path: string;

  private constructor(transport: RegistryTransport, path: string) {
    this.#transport = transport;
    this.#path = path;
  }

  /**
   * Finds the endpoint that answers, and hears how it wants to be logged in at.
   * @throws {EngineError} `internal` when none answers
   */
  static async open(
    reference: Pick<Reference, "domain" | "path">,
    credentials: RegistryCredentials | undefined,
    settings: RegistrySettings,
    signal: AbortSignal,
  ): Promise<PushTarget> {
    const scopes = [`repository:${reference.path}:pull,push`];
    const transports = originEndpoints(reference.domain, settings).map(
      (endpoint) => new RegistryTransport({ endpoint, scopes, credentials, settings }),
    );
    return new EndpointChoice(transports, told).run(signal, async (transport) => {
      // Any answer will do: what it lacks is told by the requests that follow.
      await transport.greet(signal);
      return new PushTarget(transport, reference.path);
    });
  }

  /** Whether the repository has a blob; false also when it does not let us look: the upload will tell why. */
  async hasBlob(digest: Digest, signal: AbortSignal): Promise<boolean> {
    return this.#telling(async () => {
      const request = { method: "HEAD", path: `/v2/${this.#path}/blobs/${digest}` } as const;
      const ask = async (): Promise<boolean> => {
        const response = await this.#transport.request(request, signal).catch(asUnknown);
        if (!response) return false;
        await response.body?.cancel();
        if (response.status >= 500 || response.status === 429) throw await readRefusal(response, "blob", []);
        return response.ok;
      };
      return withRetries(ask, { retriesConnections: true }, signal);
    });
  }

  /** Has the registry take a blob from another of its repositories. */
  async mount(digest: Digest, from: string, signal: AbortSignal): Promise<MountResult> {
    try {
      const location = await beginUpload(this.#transport, { uploads: this.#uploads, mount: { digest, from } }, signal);
      return location === undefined ? { type: "mounted" } : { type: "begun", location };
    } catch (error) {
      signal.throwIfAborted();
      if (error instanceof RegistryRefusal || error instanceof ConnectionFailure) return { type: "refused" };
      throw error;
    }
  }

  /** Gives up an upload that a mount has begun. */
  cancel(location: string): Promise<void> {
    return cancelUpload(this.#transport, location);
  }

  /** @see uploadBlob */
  upload(options: Omit<UploadOptions, "uploads">, signal: AbortSignal): Promise<void> {
    return this.#telling(() => uploadBlob(this.#transport, { ...options, uploads: this.#uploads }, signal));
  }

  /**
   * Names what was pushed: all blobs of the manifest are there.
   * @returns the manifest on whose list of referrers the registry has put it, if it keeps such lists
   */
  async putManifest({ name, mediaType, bytes }: ManifestToPush, signal: AbortSignal): Promise<{ readonly subject: string | undefined }> {
    const body = { sizeBytes: bytes.length, open: () => Uint8Array.from(bytes) };
    const request = { method: "PUT", path: `/v2/${this.#path}/manifests/${name}`, headers: { "content-type": mediaType }, body } as const;
    const put = async (): Promise<{ readonly subject: string | undefined }> => {
      const response = await this.#transport.request(request, signal);
      if (!response.ok) throw await readRefusal(response, "other", this.#transport.secrets);
      await response.body?.cancel();
      checkTaken(response, sha256(bytes));
      return { subject: response.headers.get("oci-subject") ?? undefined };
    };
    return this.#telling(() => withRetries(put, { retriesConnections: true }, signal));
  }

  /** Puts an artifact on the list of a manifest's referrers, where the registry keeps none. @see addToFallback */
  async addReferrer(subject: Digest, entry: Descriptor, signal: AbortSignal): Promise<void> {
    const put = (manifest: ManifestToPush): Promise<unknown> => this.putManifest(manifest, signal);
    await this.#telling(() => addToFallback(this.#transport, { path: this.#path, subject, entry }, put, signal));
  }

  get #uploads(): string {
    return `/v2/${this.#path}/blobs/uploads/`;
  }

  async #telling<T>(operation: () => Promise<T>): Promise<T> {
    try {
      return await operation();
    } catch (error) {
      throw told(error);
    }
  }
}

/** What was pushed must be there under the digest that is told. @throws {EngineError} `internal` when the registry says another one */
function checkTaken({ headers }: Response, digest: Digest): void {
  const taken = headers.get("docker-content-digest") ?? "";
  if (isDigest(taken) && taken.startsWith("sha256:") && taken !== digest)
    throw new EngineError("internal", `the registry has taken the manifest as ${taken}, it is ${digest}`);
}

/** A log-in that failed is told by whoever needs it. */
function asUnknown(error: unknown): undefined {
  if (error instanceof LogInRefusal && error.status < 429) return undefined;
  throw error;
}

function told(error: unknown): unknown {
  if (error instanceof LogInRefusal) return new EngineError(kindOf(error), error.reason, { cause: error });
  if (error instanceof RegistryRefusal) return new EngineError(kindOf(error), error.message, { cause: error });
  return error instanceof ConnectionFailure ? new EngineError("internal", error.message, { cause: error }) : error;
}

function kindOf({ code }: RegistryRefusal): "unauthorized" | "forbidden" | "too_many" | "internal" {
  if (code === "UNAUTHORIZED") return "unauthorized";
  if (code === "DENIED") return "forbidden";
  return code === "TOOMANYREQUESTS" ? "too_many" : "internal";
}
