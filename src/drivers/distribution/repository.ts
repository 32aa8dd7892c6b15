import { isDigest, sha256, type Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import type { Reference } from "#lib/reference.ts";
import type { Descriptor } from "#types/oci/image.ts";
import { downloadBlob, hasDigest, type BlobSource, type DownloadOptions } from "./download.ts";
import { EndpointChoice } from "./endpoint-choice.ts";
import { registryEndpoints } from "./endpoints.ts";
import { ConnectionFailure, refusalFor, RegistryRefusal } from "./failure.ts";
import { acceptedManifests, bareType } from "./media-types.ts";
import { manifestLimitBytes } from "./parse-manifest.ts";
import { readAtMost } from "./read-body.ts";
import { listReferrers } from "./referrers.ts";
import { readRefusal } from "./refusal.ts";
import { isTemporary, withRetries } from "./retry.ts";
import { readTagPage } from "./tags.ts";
import { RegistryTransport } from "./transport.ts";
import type { FetchedManifest, ManifestName, RegistryCredentials, RegistrySettings } from "./types.ts";

/** Bound of `pull --all-tags`. */
const maximumTags = 10_000;
const maximumTagPages = 1000;
const maximumTagPageBytes = 4 << 20;

/**
 * One repository of a registry for the time of one pull: it remembers its log-in and the endpoint that answered. All its errors are in
 * Docker's words and without secrets.
 */
export class RemoteRepository {
  readonly #reference: Reference;
  readonly #endpoints: EndpointChoice;

  constructor(reference: Reference, credentials: RegistryCredentials | undefined, settings: RegistrySettings) {
    this.#reference = reference;
    const options = { scopes: [`repository:${reference.path}:pull`], credentials, settings };
    const transports = registryEndpoints(reference.domain, settings).map((endpoint) => new RegistryTransport({ ...options, endpoint }));
    this.#endpoints = new EndpointChoice(transports, (error) => this.#told(error));
  }

  /**
   * Digest of what a tag stands for, without its content: such questions do not count towards limits of pulls.
   * @returns undefined when the registry does not say; asking for the manifest tells why
   */
  async resolve(name: ManifestName, signal: AbortSignal): Promise<Digest | undefined> {
    if (isDigest(name)) return name;
    return this.#endpoints.run(signal, async (transport) => {
      const request = { method: "HEAD", path: this.#path(`manifests/${name}`), headers: { accept: acceptedManifests } } as const;
      const response = await withRetries(() => transport.request(request, signal), {}, signal);
      await response.body?.cancel();
      const digest = response.headers.get("docker-content-digest") ?? "";
      return response.ok && isDigest(digest) ? digest : undefined;
    });
  }

  /**
   * A manifest or index by tag or digest, not parsed yet.
   * @throws {EngineError} `not_found`, `unauthorized`, `too_many`; `internal` for a wrong digest, a failed connection or too large an answer
   */
  async manifest(name: ManifestName, signal: AbortSignal): Promise<FetchedManifest> {
    return this.#endpoints.run(signal, (transport) => withRetries(() => this.#getManifest(transport, name, signal), {}, signal));
  }

  async #getManifest(transport: RegistryTransport, name: ManifestName, signal: AbortSignal): Promise<FetchedManifest> {
    const request = { method: "GET", path: this.#path(`manifests/${name}`), headers: { accept: acceptedManifests } } as const;
    const response = await transport.request(request, signal);
    if (!response.ok) throw await readRefusal(response, "manifest", transport.secrets);
    const bytes = await readAtMost(response, manifestLimitBytes);
    if (isDigest(name) && !hasDigest(bytes, name)) throw new EngineError("internal", `manifest verification failed for digest ${name}`);
    const contentType = bareType(response.headers.get("content-type"));
    return { digest: isDigest(name) ? name : sha256(bytes), contentType, bytes };
  }

  /** Brings a blob to a file of its own. @see downloadBlob */
  async blob(options: DownloadOptions, signal: AbortSignal): Promise<string> {
    const path = this.#path(`blobs/${options.digest}`);
    return this.#endpoints.run(signal, (transport) => {
      const source: BlobSource = {
        openFrom: (offset, partSignal) => this.#openBlob(transport, options.digest, offset, partSignal),
        openWith: async (headers, partSignal) => {
          const response = await transport.request({ method: "GET", path, headers }, partSignal);
          if (isTemporary(response.status)) throw await readRefusal(response, "blob", transport.secrets);
          return response;
        },
      };
      return downloadBlob(source, options, signal);
    });
  }

  /** A small blob whole: a config. @throws {EngineError} as `blob` */
  async smallBlob(digest: Digest, sizeBytes: number, signal: AbortSignal): Promise<Uint8Array> {
    return this.#endpoints.run(signal, (transport) => {
      const get = async (): Promise<Uint8Array> => {
        const { response } = await this.#openBlob(transport, digest, 0, signal);
        const bytes = await readAtMost(response, sizeBytes);
        if (!hasDigest(bytes, digest)) throw new EngineError("internal", `image config verification failed for digest ${digest}`);
        return bytes;
      };
      return withRetries(get, { retriesConnections: true }, signal);
    });
  }

  async #openBlob(
    transport: RegistryTransport,
    digest: Digest,
    offset: number,
    signal: AbortSignal,
  ): Promise<{ response: Response; isFromOffset: boolean }> {
    const headers: Record<string, string> = offset > 0 ? { range: `bytes=${offset}-` } : {};
    const response = await transport.request({ method: "GET", path: this.#path(`blobs/${digest}`), headers }, signal);
    if (response.status === 416 && offset > 0) return this.#openBlob(transport, digest, 0, signal); // cannot go on: from the start
    if (!response.ok) throw await readRefusal(response, "blob", transport.secrets);
    const start = /^bytes (\d{1,16})-/.exec(response.headers.get("content-range") ?? "")?.[1];
    if (response.status === 206 && Number(start ?? -1) !== offset) {
      await response.body?.cancel();
      return this.#openBlobFromStart(transport, digest, signal);
    }
    return { response, isFromOffset: response.status === 206 };
  }

  async #openBlobFromStart(
    transport: RegistryTransport,
    digest: Digest,
    signal: AbortSignal,
  ): Promise<{ response: Response; isFromOffset: boolean }> {
    const response = await transport.request({ method: "GET", path: this.#path(`blobs/${digest}`) }, signal);
    if (response.status === 200) return { response, isFromOffset: false };
    if (!response.ok) throw await readRefusal(response, "blob", transport.secrets);
    throw new EngineError("internal", "the registry sends a part of a blob that was not asked for");
  }

  /** All tags of the repository, in the registry's order. @throws {EngineError} `too_large` when there are too many */
  async tags(signal: AbortSignal): Promise<string[]> {
    return this.#endpoints.run(signal, async (transport) => {
      const tags: string[] = [];
      const seen = new Set<string>();
      for (let path: string | undefined = this.#path("tags/list"); path !== undefined && !seen.has(path);) {
        seen.add(path);
        if (seen.size > maximumTagPages)
          throw new EngineError("too_large", `the repository's tags are on more than ${maximumTagPages} pages`);
        const current: string = path;
        const page = await withRetries(() => getTagPage(transport, current, signal), {}, signal);
        tags.push(...page.tags);
        if (tags.length > maximumTags) throw new EngineError("too_large", `the repository has more than ${maximumTags} tags`);
        path = page.next;
      }
      return tags;
    });
  }

  /** What refers to a manifest. @see listReferrers */
  async referrers(subject: Digest, artifactType: string | undefined, signal: AbortSignal): Promise<Descriptor[]> {
    const question = { path: this.#reference.path, subject, artifactType };
    return this.#endpoints.run(signal, (transport) => listReferrers(transport, question, signal));
  }

  #path(rest: string): string {
    return `/v2/${this.#reference.path}/${rest}`;
  }

  #told(error: unknown): unknown {
    if (error instanceof RegistryRefusal) return refusalFor(error, this.#reference);
    return error instanceof ConnectionFailure ? new EngineError("internal", error.message, { cause: error }) : error;
  }
}

async function getTagPage(
  transport: RegistryTransport,
  path: string,
  signal: AbortSignal,
): Promise<{ readonly tags: readonly string[]; readonly next: string | undefined }> {
  const response = await transport.request({ method: "GET", path }, signal);
  if (!response.ok) throw await readRefusal(response, "other", transport.secrets);
  const link = response.headers.get("link");
  return readTagPage(await readAtMost(response, maximumTagPageBytes), link, path);
}
