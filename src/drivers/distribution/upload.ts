import { open, type FileHandle } from "node:fs/promises";
import type { Digest } from "#lib/digest.ts";
import { ConnectionFailure, RegistryRefusal } from "./failure.ts";
import { readRefusal } from "./refusal.ts";
import { Backoff } from "./retry.ts";
import type { RegistryTransport } from "./transport.ts";
import { fileBody } from "./upload-body.ts";

/** The registry takes nothing for so long: the connection counts as broken. */
const stallMilliseconds = 60_000;
/** After the last byte the registry verifies the blob and moves it to its place, which may be another storage. */
const commitMilliseconds = 600_000;
/** A registry that takes a little and breaks off, again and again, is given up. */
const maximumParts = 64;
/** For telling the registry that an upload is given up. */
const cancelMilliseconds = 3000;

/** A blob in a file. */
export interface UploadSource {
  readonly digest: Digest;
  readonly sizeBytes: number;
  readonly path: string;
}

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
 * Sends a blob: whole in one request; broken off, it goes on where the registry says it stopped, or in a new upload. An upload that fails
 * for good, or is given up, is taken back.
 * @throws {RegistryRefusal} what the registry says, {ConnectionFailure} when retries end, the signal's reason
 * Source: OCI distribution-spec, "Pushing blobs".
 */
export async function uploadBlob(transport: RegistryTransport, options: UploadOptions, signal: AbortSignal): Promise<void> {
  await using file = await open(options.source.path, "r");
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
    if (this.#offset > 0 && this.#offset < source.sizeBytes) await this.#append(this.#location, signal);
    await this.#finish(this.#location, signal);
    this.#location = undefined;
  }

  /** The rest, after a break. */
  async #append(location: string, signal: AbortSignal): Promise<void> {
    const { sizeBytes } = this.#options.source;
    const headers = { "content-type": "application/octet-stream", "content-range": `${this.#offset}-${sizeBytes - 1}` };
    const response = await this.#transfer({ method: "PATCH", path: location, headers }, this.#offset, signal);
    await response.body?.cancel();
    this.#location = locationOf(response, location);
    this.#offset = sizeBytes;
  }

  /** Everything, or only the end of an upload whose bytes are there. */
  async #finish(location: string, signal: AbortSignal): Promise<void> {
    const { digest } = this.#options.source;
    const path = `${location}${location.includes("?") ? "&" : "?"}digest=${encodeURIComponent(digest)}`;
    const headers = { "content-type": "application/octet-stream" };
    const response = await this.#transfer({ method: "PUT", path, headers }, this.#offset, signal);
    await response.body?.cancel();
  }

  /** One request with the file from `offset` on. @throws {ConnectionFailure} also when the registry knows the upload no more */
  async #transfer(
    request: { readonly method: "PATCH" | "PUT"; readonly path: string; readonly headers: Readonly<Record<string, string>> },
    offset: number,
    signal: AbortSignal,
  ): Promise<Response> {
    const { sizeBytes } = this.#options.source;
    const stall = new AbortController();
    const expire = (): void => stall.abort(new DOMException("stalled", "TimeoutError"));
    let timer = setTimeout(expire, stallMilliseconds);
    const onRead = (position: number): void => {
      clearTimeout(timer);
      timer = setTimeout(expire, position === sizeBytes ? commitMilliseconds : stallMilliseconds);
      this.#options.onProgress?.(position);
    };
    try {
      const body = fileBody(this.#file, { offset, sizeBytes }, onRead);
      const response = await this.#transport.request({ ...request, body, patience: stall.signal }, signal);
      if (response.ok) return response;
      const refusal = await readRefusal(response, "other", this.#transport.secrets);
      if (response.status !== 404 && response.status !== 416) throw refusal;
      this.#forget();
      throw new ConnectionFailure(refusal.message, true, { cause: refusal });
    } finally {
      clearTimeout(timer);
    }
  }

  /** Asks how much has arrived. What the registry cannot go on with begins anew. */
  async #findOffset(signal: AbortSignal): Promise<void> {
    if (this.#location === undefined) return;
    const response = await this.#transport.request({ method: "GET", path: this.#location }, signal).catch(() => undefined);
    await response?.body?.cancel();
    signal.throwIfAborted();
    const end = /^(?:bytes=)?0-(\d{1,16})$/.exec(response?.headers.get("range") ?? "")?.[1];
    if (!response?.ok || end === undefined || Number(end) >= this.#options.source.sizeBytes) return this.#forget();
    this.#location = locationOf(response, this.#location);
    this.#offset = end === "0" ? 0 : Number(end) + 1; // "0-0" is what registries say of an empty upload
  }

  #forget(): void {
    this.#location = undefined;
    this.#offset = 0;
  }
}

/** Where to go on. @param asked  stays when the registry names no other place */
function locationOf(response: Response, asked?: string): string {
  const location = response.headers.get("location") ?? asked;
  if (location === undefined) throw new RegistryRefusal(response.status, "UNKNOWN", "the registry does not say where to upload to");
  return URL.canParse(location, response.url) ? new URL(location, response.url).href : location;
}
