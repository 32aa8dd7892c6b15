import type { FileHandle } from "node:fs/promises";
import type { Digest } from "#lib/digest.ts";
import { ConnectionFailure, RegistryRefusal } from "./failure.ts";
import { readRefusal } from "./refusal.ts";
import { Backoff } from "./retry.ts";
import type { RegistryTransport } from "./transport.ts";
import { uploadBody } from "./upload-body.ts";
import type { UploadSource } from "./upload-source.ts";

/** The registry takes nothing for so long: the connection counts as broken. */
const stallMilliseconds = 60_000;
/** After the last byte the registry verifies the blob and moves it to its place, which may be another storage. */
const commitMilliseconds = 600_000;
/** A registry that takes a little and breaks off, again and again, is given up. */
const maximumParts = 64;
/** For telling the registry that an upload is given up. */
const cancelMilliseconds = 3000;

export interface UploadOptions {
  readonly source: UploadSource;
  /** Path of the repository's uploads. */
  readonly uploads: string;
  /** Location of an upload that the registry has begun already, instead of a mount. */
  readonly location?: string | undefined;
  readonly onProgress?: ((sentBytes: number) => void) | undefined;
  readonly onRetry?: ((waitMilliseconds: number) => void) | undefined;
}

/**
 * Sends a blob: whole in one request, or as it is written and its digest at the end; broken off, it goes on where the registry says it stopped,
 * or in a new upload. An upload that fails for good, or is given up, is taken back.
 * @throws {RegistryRefusal} what the registry says, {ConnectionFailure} when retries end, the signal's reason
 * Source: OCI distribution-spec, "Pushing blobs".
 */
export async function uploadBlob(transport: RegistryTransport, options: UploadOptions, signal: AbortSignal): Promise<void> {
  await using file = await options.source.open();
  const upload = new BlobUpload(transport, options, file);
  try {
    await upload.run(signal);
  } catch (error) {
    await upload.cancel();
    throw error;
  }
}

/** Begins an upload, or has the registry take the blob from another of its repositories. @returns undefined when it was mounted */
export async function beginUpload(
  transport: RegistryTransport,
  request: { readonly uploads: string; readonly mount?: { readonly digest: Digest; readonly from: string } },
  signal: AbortSignal,
): Promise<string | undefined> {
  const { uploads, mount } = request;
  const query = mount ? `?mount=${encodeURIComponent(mount.digest)}&from=${encodeURIComponent(mount.from)}` : "";
  const scopes = mount ? [`repository:${mount.from}:pull`] : [];
  const response = await transport.request({ method: "POST", path: `${uploads}${query}`, scopes }, signal);
  if (!response.ok) throw await readRefusal(response, "other", transport.secrets);
  await response.body?.cancel();
  if (response.status === 201 && mount) return undefined;
  return locationOf(response);
}

/** Takes back an upload that was begun; the registry would do so by itself some day. */
export async function cancelUpload(transport: RegistryTransport, location: string): Promise<void> {
  try {
    const response = await transport.request({ method: "DELETE", path: location }, AbortSignal.timeout(cancelMilliseconds));
    await response.body?.cancel();
  } catch {
    // not reached, or not known to it: nothing to take back
  }
}

class BlobUpload {
  readonly #transport: RegistryTransport;
  readonly #options: UploadOptions;
  readonly #file: FileHandle;
  #location: string | undefined;
  /** What the registry has. */
  #offset = 0;

  constructor(transport: RegistryTransport, options: UploadOptions, file: FileHandle) {
    this.#transport = transport;
    this.#options = options;
    this.#file = file;
    this.#location = options.location;
  }

  async run(signal: AbortSignal): Promise<void> {
    const backoff = new Backoff({ onRetry: this.#options.onRetry, retriesConnections: true });
    for (let part = 1; ; part++) {
      try {
        return await this.#send(signal);
      } catch (error) {
        signal.throwIfAborted();
        this.#options.source.throwIfFailed();
        if (part >= maximumParts) throw error;
        await backoff.next(error, signal);
        const before = this.#offset;
        await this.#findOffset(signal);
        if (this.#offset > before) backoff.progressed();
      }
    }
  }

  async cancel(): Promise<void> {
    if (this.#location !== undefined) await cancelUpload(this.#transport, this.#location);
  }

  async #send(signal: AbortSignal): Promise<void> {
    const { uploads, source } = this.#options;
    this.#location ??= await beginUpload(this.#transport, { uploads }, signal);
    if (this.#location === undefined) return;
    const { wholeBlob } = source;
    if (!wholeBlob || (this.#offset > 0 && this.#offset < wholeBlob.sizeBytes)) await this.#append(this.#location, signal);
    await this.#finish(this.#location, signal);
    this.#location = undefined;
  }

  /** What is not there yet: the rest after a break, or all that is still to be written. */
  async #append(location: string, signal: AbortSignal): Promise<void> {
    const { source } = this.#options;
    const last = source.wholeBlob && source.wholeBlob.sizeBytes - 1;
    const headers = {
      "content-type": "application/octet-stream",
      ...(last !== undefined && { "content-range": `${this.#offset}-${last}` }),
    };
    const { response, position } = await this.#transfer({ method: "PATCH", path: location, headers }, signal);
    await response.body?.cancel();
    this.#location = locationOf(response, location);
    if (position !== source.wholeBlob?.sizeBytes)
      throw new RegistryRefusal(response.status, "UNKNOWN", "the registry answers an upload before it has all of it");
    this.#offset = position;
  }

  /** Everything, or only the end of an upload whose bytes are there. */
  async #finish(location: string, signal: AbortSignal): Promise<void> {
    const { digest = "" } = this.#options.source.wholeBlob ?? {};
    const path = `${location}${location.includes("?") ? "&" : "?"}digest=${encodeURIComponent(digest)}`;
    const headers = { "content-type": "application/octet-stream" };
    const { response } = await this.#transfer({ method: "PUT", path, headers }, signal);
    await response.body?.cancel();
  }

  /**
   * One request with the file from where the registry has it.
   * @returns the answer, and up to where the file was sent by then
   * @throws {ConnectionFailure} also when the registry knows the upload no more
   */
  async #transfer(
    request: { readonly method: "PATCH" | "PUT"; readonly path: string; readonly headers: Readonly<Record<string, string>> },
    signal: AbortSignal,
  ): Promise<{ readonly response: Response; readonly position: number }> {
    const { source, onProgress } = this.#options;
    const patience = new Patience();
    let position = this.#offset;
    const onRead = (read: number): void => {
      position = read;
      patience.renew(source.wholeBlob?.sizeBytes === read ? commitMilliseconds : stallMilliseconds);
      onProgress?.(read);
    };
    try {
      const body = uploadBody({ file: this.#file, source, offset: position, onWait: () => patience.pause(), onRead });
      const response = await this.#transport.request({ ...request, body, patience: patience.signal }, signal);
      if (response.ok) return { response, position };
      const refusal = await readRefusal(response, "other", this.#transport.secrets);
      if (response.status !== 404 && response.status !== 416) throw refusal;
      this.#forget();
      throw new ConnectionFailure(refusal.message, true, { cause: refusal });
    } finally {
      patience.pause();
    }
  }

  /** Asks how much has arrived. What the registry cannot go on with begins anew. */
  async #findOffset(signal: AbortSignal): Promise<void> {
    if (this.#location === undefined) return;
    const response = await this.#transport.request({ method: "GET", path: this.#location }, signal).catch(() => undefined);
    await response?.body?.cancel();
    signal.throwIfAborted();
    const end = /^(?:bytes=)?0-(\d{1,16})$/.exec(response?.headers.get("range") ?? "")?.[1];
    if (!response?.ok || end === undefined || Number(end) >= this.#options.source.writtenBytes) {
      // Known there, but of no use.
      if (response?.ok) await cancelUpload(this.#transport, this.#location);
      return this.#forget();
    }
    this.#location = locationOf(response, this.#location);
    this.#offset = end === "0" ? 0 : Number(end) + 1; // "0-0" is what registries say of an empty upload
  }

  #forget(): void {
    this.#location = undefined;
    this.#offset = 0;
  }
}

/** How long the registry may take for what it is doing. */
class Patience {
  readonly #controller = new AbortController();
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor() {
    this.renew(stallMilliseconds);
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  renew(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#controller.abort(new DOMException("stalled", "TimeoutError")), milliseconds);
  }

  /** It is not its turn. */
  pause(): void {
    clearTimeout(this.#timer);
  }
}

/** Where to go on. @param asked  stays when the registry names no other place */
function locationOf(response: Response, asked?: string): string {
  const location = response.headers.get("location") ?? asked;
  if (location === undefined) throw new RegistryRefusal(response.status, "UNKNOWN", "the registry does not say where to upload to");
  return URL.canParse(location, response.url) ? new URL(location, response.url).href : location;
}
