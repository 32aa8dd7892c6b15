import { digestHex, isDigest, type Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import { TemporaryFile } from "#lib/temporary-file.ts";
import { BlobFile } from "./blob-file.ts";
import { downloadParts, parallelFromBytes } from "./download-parts.ts";
import { ConnectionFailure } from "./failure.ts";
import { Backoff } from "./retry.ts";
import { minimumProgressBytes, receiveBody } from "./stall.ts";

/** A registry that sends a little and breaks off, again and again, is given up. */
const maximumParts = 64;

/** Where a blob can be had. */
export interface BlobSource {
  /** Its body from a position on. `isFromOffset` false: the registry sends all of it, whatever was asked. */
  readonly openFrom: (offset: number, signal: AbortSignal) => Promise<{ readonly response: Response; readonly isFromOffset: boolean }>;
  /** The answer to a request with these fields, whatever it is. @throws {RegistryRefusal} for one that says "later" */
  readonly openWith: (headers: Readonly<Record<string, string>>, signal: AbortSignal) => Promise<Response>;
}

export interface DownloadOptions {
  readonly digest: Digest;
  /** From the descriptor: not one byte more is taken. */
  readonly sizeBytes: number;
  /** Folder for the file, on the file system of the content store. */
  readonly folder: string;
  /** Leave to open one connection more, until its disposal; there is one connection alone when absent. */
  readonly spareConnection?: (() => Disposable | undefined) | undefined;
  readonly onProgress?: ((receivedBytes: number) => void) | undefined;
  readonly onRetry?: ((waitMilliseconds: number) => void) | undefined;
}

/**
 * Brings a blob to a file, a large one in parts side by side; broken off, it goes on where it stopped. The file is whole, verified and on disk,
 * and the caller's; on an error nothing is left.
 * @throws {EngineError} `internal` for wrong content, `unavailable` when the disk is full; {ConnectionFailure}, {RegistryRefusal} when retries end
 */
export async function downloadBlob(source: BlobSource, options: DownloadOptions, signal: AbortSignal): Promise<string> {
  await using file = await TemporaryFile.create(options.folder, "download-");
  const blob = new BlobFile(file, options.digest);
  const download = new Download(source, blob, options);
  const isInParts = options.sizeBytes >= parallelFromBytes && options.spareConnection !== undefined;
  if (isInParts) await download.receiveParts(signal);
  await download.receiveRest(signal);
  if (!blob.isRight()) {
    if (!isInParts) throw wrongContent(options.digest);
    // Parts may be what the registry cannot do: as everybody else reads it, once.
    await blob.restart();
    await download.receiveRest(signal);
    if (!blob.isRight()) throw wrongContent(options.digest);
  }
  await file.sync();
  file.keep();
  return file.path;
}

class Download {
  readonly #source: BlobSource;
  readonly #blob: BlobFile;
  readonly #options: DownloadOptions;
  readonly #backoff: Backoff;

  constructor(source: BlobSource, blob: BlobFile, options: DownloadOptions) {
    this.#source = source;
    this.#blob = blob;
    this.#options = options;
    this.#backoff = new Backoff({ onRetry: options.onRetry, retriesConnections: true });
  }

  /** @see downloadParts */
  receiveParts(signal: AbortSignal): Promise<void> {
    const { sizeBytes, onProgress, spareConnection = () => undefined } = this.#options;
    const parts = {
      sizeBytes,
      open: this.#source.openWith,
      spare: spareConnection,
      onBytes: (receivedBytes: number) => onProgress?.(receivedBytes),
      backoff: this.#backoff,
    };
    return downloadParts(this.#blob, parts, signal);
  }

  /** All that is not there yet, in one stream. */
  async receiveRest(signal: AbortSignal): Promise<void> {
    for (let part = 1; ; part++) {
      const before = this.#blob.hashedBytes;
      try {
        return await this.#receive(signal);
      } catch (error) {
        if (this.#blob.hashedBytes - before >= minimumProgressBytes) this.#backoff.progressed();
        if (part >= maximumParts) throw error;
        await this.#backoff.next(error, signal);
      }
    }
  }

  /** Takes one answer's body; returns when the blob is complete. */
  async #receive(signal: AbortSignal): Promise<void> {
    const { digest, sizeBytes, onProgress } = this.#options;
    const blob = this.#blob;
    if (blob.hashedBytes === sizeBytes && sizeBytes > 0) return; // complete, though its connection broke afterwards
    const open = async (partSignal: AbortSignal): Promise<Response> => {
      const { response, isFromOffset } = await this.#source.openFrom(blob.hashedBytes, partSignal);
      if (!isFromOffset) await blob.restart();
      this.#checkLength(response);
      return response;
    };
    const take = async (piece: Uint8Array): Promise<void> => {
      // Cut off at the declared size: an endless body costs no disk.
      if (blob.hashedBytes + piece.length > sizeBytes) throw wrongContent(digest);
      await blob.write(piece, blob.hashedBytes);
      onProgress?.(blob.hashedBytes);
    };
    await receiveBody(open, take, signal);
    if (blob.hashedBytes < sizeBytes) throw new ConnectionFailure("unexpected EOF", true);
  }

  /** A body announced with another size can never be right. */
  #checkLength(response: Response): void {
    const announced = response.headers.get("content-length");
    if (announced === null || !/^\d{1,16}$/.test(announced) || response.status === 206) return;
    if (Number(announced) !== this.#options.sizeBytes) throw wrongContent(this.#options.digest);
  }
}

function wrongContent(digest: Digest): EngineError {
  return new EngineError("internal", `filesystem layer verification failed for digest ${digest}`);
}

/** True when the bytes have this digest. */
export function hasDigest(bytes: Uint8Array, digest: Digest): boolean {
  const algorithm = digest.startsWith("sha512:") ? "sha512" : "sha256";
  return isDigest(digest) && new Bun.CryptoHasher(algorithm).update(bytes).digest("hex") === digestHex(digest);
}
