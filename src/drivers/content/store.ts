import { constants } from "node:fs";
import { mkdir, open, opendir, rename, rm, stat, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { digestHex, isDigest, parseDigest, type Digest } from "#lib/digest.ts";
import { EngineError, messageOf } from "#lib/errors.ts";
import { randomId } from "#lib/id.ts";
import type { BlobInfo, BlobWriter, ContentStore } from "./types.ts";

const algorithms = ["sha256", "sha512"] as const;
type Algorithm = (typeof algorithms)[number];

const readBytes = 1 << 18;

/**
 * The content store on a file system: `blobs/<algorithm>/<hex>`, as in an OCI image layout, and `tmp/` for what is not whole yet.
 * Nothing is kept in memory: the folder is the state.
 */
export class FileContentStore implements ContentStore {
  readonly temporary: string;
  readonly #blobs: string;

  private constructor(root: string) {
    this.#blobs = join(root, "blobs");
    this.temporary = join(root, "tmp");
  }

  /** Makes the folders and empties the temporary one. The caller holds the lock of the data root. */
  static async open(root: string): Promise<FileContentStore> {
    const store = new FileContentStore(root);
    await rm(store.temporary, { recursive: true, force: true });
    await mkdir(store.temporary, { recursive: true, mode: 0o700 });
    for (const algorithm of algorithms) await mkdir(join(store.#blobs, algorithm), { recursive: true, mode: 0o700 });
    return store;
  }

  path(digest: Digest): string {
    return join(this.#blobs, algorithmOf(digest), digestHex(digest));
  }

  async info(digest: Digest): Promise<BlobInfo | undefined> {
    try {
      const { size } = await stat(this.path(digest));
      return { digest, sizeBytes: size };
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
  }

  async read(digest: Digest, limitBytes: number): Promise<Uint8Array> {
    await using file = await this.#open(digest);
    const { size } = await file.stat();
    if (size > limitBytes) throw new EngineError("too_large", `blob ${digest} has ${size} bytes, at most ${limitBytes} are read`);
    return file.readFile();
  }

  async writer(): Promise<BlobWriter> {
    const path = join(this.temporary, randomId());
    const file = await open(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600).catch(diskFailure);
    return new FileBlobWriter(this, path, file);
  }

  async adopt(path: string, blob: BlobInfo): Promise<void> {
    const target = this.path(blob.digest);
    await rename(path, target);
    await syncFolder(join(target, ".."));
  }

  async remove(digest: Digest): Promise<void> {
    await rm(this.path(digest), { force: true });
  }

  async *list(): AsyncGenerator<BlobInfo> {
    for (const algorithm of algorithms)
      for await (const entry of await opendir(join(this.#blobs, algorithm))) {
        const digest = `${algorithm}:${entry.name}`;
        // A name that is no digest was not put there by this store.
        const blob = isDigest(digest) ? await this.info(digest) : undefined;
        if (blob) yield blob;
      }
  }

  async verify(digest: Digest, signal: AbortSignal): Promise<void> {
    await using file = await this.#open(digest);
    const hasher = new Bun.CryptoHasher(algorithmOf(digest));
    const buffer = Buffer.allocUnsafe(readBytes);
    for (;;) {
      signal.throwIfAborted();
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) break;
      hasher.update(buffer.subarray(0, bytesRead));
    }
    if (hasher.digest("hex") !== digestHex(digest))
      throw new EngineError("internal", `blob ${digest} is damaged: its content has another digest`);
  }

  async #open(digest: Digest): Promise<FileHandle> {
    try {
      return await open(this.path(digest), constants.O_RDONLY);
    } catch (error) {
      if (isMissing(error)) throw new EngineError("not_found", `blob ${digest} is not in the content store`, { cause: error });
      throw error;
    }
  }
}

/** Hashes sha256 while it writes; sha512, which hardly anyone uses, is hashed from the file when it is expected. */
class FileBlobWriter implements BlobWriter {
  readonly #store: FileContentStore;
  readonly #path: string;
  readonly #file: FileHandle;
  readonly #hasher = new Bun.CryptoHasher("sha256");
  #sizeBytes = 0;
  #open = true;

  constructor(store: FileContentStore, path: string, file: FileHandle) {
    this.#store = store;
    this.#path = path;
    this.#file = file;
  }

  async write(chunk: Uint8Array): Promise<void> {
    this.#hasher.update(chunk);
    for (let start = 0; start < chunk.length;) {
      const { bytesWritten } = await this.#file.write(chunk, start).catch(diskFailure);
      start += bytesWritten;
    }
    this.#sizeBytes += chunk.length;
  }

  async commit(expected: { digest?: Digest; sizeBytes?: number }): Promise<BlobInfo> {
    try {
      const digest = await this.#check(expected);
      const blob = { digest, sizeBytes: this.#sizeBytes };
      await this.#file.datasync().catch(diskFailure);
      await this.#store.adopt(this.#path, blob);
      return blob;
    } finally {
      await this[Symbol.asyncDispose]();
    }
  }

  /** Closes the file and discards it unless it was committed: its name is another then. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (!this.#open) return;
    this.#open = false;
    await this.#file.close();
    await rm(this.#path, { force: true });
  }

  async #check(expected: { digest?: Digest; sizeBytes?: number }): Promise<Digest> {
    const { digest, sizeBytes } = expected;
    if (sizeBytes !== undefined && sizeBytes !== this.#sizeBytes)
      throw new EngineError("invalid", `size validation failed: ${this.#sizeBytes} != ${sizeBytes}`);
    const actual = parseDigest(`sha256:${this.#hasher.digest("hex")}`);
    if (digest === undefined || digest === actual) return actual;
    if (algorithmOf(digest) === "sha512" && (await this.#hashWhole("sha512")) === digestHex(digest)) return digest;
    throw new EngineError("invalid", `unexpected commit digest ${actual}, expected ${digest}`);
  }

  async #hashWhole(algorithm: Algorithm): Promise<string> {
    const hasher = new Bun.CryptoHasher(algorithm);
    await using file = await open(this.#path, constants.O_RDONLY);
    const buffer = Buffer.allocUnsafe(readBytes);
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, buffer.length, null);
      if (bytesRead === 0) return hasher.digest("hex");
      hasher.update(buffer.subarray(0, bytesRead));
    }
  }
}

function algorithmOf(digest: Digest): Algorithm {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}

/** A name is on disk only when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  await handle.sync();
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}

/** A full disk is the user's to solve; anything else is told as it is. */
function diskFailure(error: unknown): never {
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT") throw new EngineError("unavailable", "no space left on device", { cause: error });
  throw new EngineError("internal", messageOf(error), { cause: error });
}
