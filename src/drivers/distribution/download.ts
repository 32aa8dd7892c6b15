import { digestHex, isDigest, type Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import { TemporaryFile } from "#lib/temporary-file.ts";
import { connectionFailure, ConnectionFailure } from "./failure.ts";
import { Backoff } from "./retry.ts";

/** Silence in the middle of a body after which it is asked for again. */
const stallMilliseconds = 30_000;
/** A registry that sends a little and breaks off, again and again, is given up. */
const maximumParts = 64;

/** Opens a blob's body from a position on. `isFrom` false: the registry sends all of it, whatever was asked. */
export type OpenBlob = (offset: number, signal: AbortSignal) => Promise<{ readonly response: Response; readonly isFromOffset: boolean }>;

export interface DownloadOptions {
  readonly digest: Digest;
  /** From the descriptor: not one byte more is taken. */
  readonly sizeBytes: number;
  /** Folder for the file, on the file system of the content store. */
  readonly folder: string;
  readonly onProgress?: ((receivedBytes: number) => void) | undefined;
  readonly onRetry?: ((waitMilliseconds: number) => void) | undefined;
}

/**
 * Streams a blob to a file, hashing on the way; broken off, it goes on where it stopped. The file is whole, verified and on disk, and the
 * caller's; on an error nothing is left.
 * @throws {EngineError} `internal` for wrong content, `unavailable` when the disk is full; {ConnectionFailure}, {RegistryRefusal} when retries end
 */
export async function downloadBlob(open: OpenBlob, options: DownloadOptions, signal: AbortSignal): Promise<string> {
  await using file = await TemporaryFile.create(options.folder, "download-");
  const download = new Download(file, options);
  const backoff = new Backoff({ onRetry: options.onRetry, retriesConnections: true });
  for (let part = 1; ; part++) {
    const before = file.sizeBytes;
    try {
      await download.receive(open, signal);
      break;
    } catch (error) {
      if (file.sizeBytes > before) backoff.progressed();
      if (part >= maximumParts) throw error;
      await backoff.next(error, signal);
    }
  }
  download.verify();
  await file.sync();
  file.keep();
  return file.path;
}

class Download {
  readonly #file: TemporaryFile;
  readonly #options: DownloadOptions;
  #hasher: Bun.CryptoHasher;

  constructor(file: TemporaryFile, options: DownloadOptions) {
    this.#file = file;
    this.#options = options;
    this.#hasher = this.#newHasher();
  }

  /** Takes one answer's body; returns when the blob is complete. */
  async receive(open: OpenBlob, signal: AbortSignal): Promise<void> {
    const { sizeBytes } = this.#options;
    if (this.#file.sizeBytes === sizeBytes && sizeBytes > 0) return; // complete, though its connection broke afterwards
    const stall = new AbortController();
    const timer = setTimeout(() => stall.abort(new DOMException("stalled", "TimeoutError")), stallMilliseconds);
    const either = AbortSignal.any([signal, stall.signal]);
    try {
      const { response, isFromOffset } = await open(this.#file.sizeBytes, either);
      if (!isFromOffset) await this.#restart();
      this.#checkLength(response);
      await this.#take(response, () => timer.refresh());
    } catch (error) {
      signal.throwIfAborted();
      if (stall.signal.aborted) throw new ConnectionFailure("unexpected EOF: the registry stopped sending", true, { cause: error });
      throw error;
    } finally {
      clearTimeout(timer);
      stall.abort(); // cancels a body that was not read to its end
    }
    if (this.#file.sizeBytes < sizeBytes) throw new ConnectionFailure("unexpected EOF", true);
  }

  /** @throws {EngineError} `internal` with Docker's text */
  verify(): void {
    if (this.#hasher.digest("hex") !== digestHex(this.#options.digest)) throw this.#wrongContent();
  }

  async #take(response: Response, onChunk: () => void): Promise<void> {
    const { sizeBytes, onProgress } = this.#options;
    const url = new URL(response.url || "http://registry/");
    const chunks = (response.body ?? new Blob([]).stream()) as AsyncIterable<Uint8Array>;
    const reader = chunks[Symbol.asyncIterator]();
    for (;;) {
      const next = await reader.next().catch(async (error: unknown) => {
        throw await connectionFailure(error, url);
      });
      if (next.done) return;
      onChunk();
      // Cut off at the declared size: an endless body costs no disk.
      if (this.#file.sizeBytes + next.value.length > sizeBytes) throw this.#wrongContent();
      this.#hasher.update(next.value);
      await this.#file.write(next.value);
      onProgress?.(this.#file.sizeBytes);
    }
  }

  /** A body announced with another size can never be right. */
  #checkLength(response: Response): void {
    const announced = response.headers.get("content-length");
    if (announced === null || !/^\d{1,16}$/.test(announced) || response.status === 206) return;
    if (Number(announced) !== this.#options.sizeBytes) throw this.#wrongContent();
  }

  async #restart(): Promise<void> {
    if (this.#file.sizeBytes === 0) return;
    await this.#file.clear();
    this.#hasher = this.#newHasher();
  }

  #newHasher(): Bun.CryptoHasher {
    return new Bun.CryptoHasher(this.#options.digest.startsWith("sha512:") ? "sha512" : "sha256");
  }

  #wrongContent(): EngineError {
    return new EngineError("internal", `filesystem layer verification failed for digest ${this.#options.digest}`);
  }
}

/** True when the bytes have this digest. */
export function hasDigest(bytes: Uint8Array, digest: Digest): boolean {
  const algorithm = digest.startsWith("sha512:") ? "sha512" : "sha256";
  return isDigest(digest) && new Bun.CryptoHasher(algorithm).update(bytes).digest("hex") === digestHex(digest);
}
