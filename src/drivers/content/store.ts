import { constants } from "node:fs";
import { mkdir, open, opendir, readdir, rename, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { sizeIfThere, syncFolder, throwDiskFailure } from "#lib/disk.ts";
import { DiscardedFiles } from "#lib/discarded-files.ts";
import { digestHex, isDigest, parseDigest, type Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import { randomId } from "#lib/id.ts";
import type { Logger } from "#lib/log.ts";
import { allocatedBytes } from "#os/tree-usage.ts";
import type { BlobInfo, BlobWriter, ContentStore } from "./types.ts";

const algorithms = ["sha256", "sha512"] as const;
type Algorithm = (typeof algorithms)[number];

const removedFolder = "removed";

const readBytes = 1 << 18;

/**
 * The content store on a file system: `blobs/<algorithm>/<hex>`, as in an OCI image layout, `damaged/` for blobs that are not what their
 * name says, `tmp/` for what is not whole yet, and `removed/` for what is on its way out. The folder is the state.
 */
export class FileContentStore implements ContentStore {
  readonly temporary: string;
  readonly #blobs: string;
  readonly #damaged: string;
  readonly #discarded: DiscardedFiles;
  /** Under way: a blob is gone as soon as its removal is asked for, and one that comes again comes after it. */
  readonly #removals = new Map<Digest, Promise<void>>();

  private constructor(root: string, logger: Logger) {
    this.#blobs = join(root, "blobs");
    this.#damaged = join(root, "damaged");
    this.temporary = join(root, "tmp");
    this.#discarded = new DiscardedFiles(join(root, removedFolder), logger);
  }

  /** Makes the folders and empties those of work under way. The caller holds the lock of the data root. */
  static async open(root: string, logger: Logger): Promise<FileContentStore> {
    const store = new FileContentStore(root, logger);
    const removed = join(root, removedFolder);
    await rm(store.temporary, { recursive: true, force: true });
    for (const folder of [store.temporary, removed]) await mkdir(folder, { recursive: true, mode: 0o700 });
    for (const name of await readdir(removed)) store.#discarded.remove(join(removed, name));
    for (const folder of [store.#blobs, store.#damaged])
      for (const algorithm of algorithms) await mkdir(join(folder, algorithm), { recursive: true, mode: 0o700 });
    return store;
  }

  path(digest: Digest): string {
    return join(this.#blobs, algorithmOf(digest), digestHex(digest));
  }

  async info(digest: Digest): Promise<BlobInfo | undefined> {
    await this.#removed(digest);
    const sizeBytes = await sizeIfThere(this.path(digest));
    return sizeBytes === undefined ? undefined : { digest, sizeBytes };
  }

  async read(digest: Digest, limitBytes: number): Promise<Uint8Array> {
    await using file = await this.#open(digest);
    const { size } = await file.stat();
    if (size > limitBytes) throw new EngineError("too_large", `blob ${digest} has ${size} bytes, at most ${limitBytes} are read`);
    const bytes = await file.readFile();
    if (new Bun.CryptoHasher(algorithmOf(digest)).update(bytes).digest("hex") !== digestHex(digest))
      throw new EngineError("internal", `blob ${digest} is damaged: its content has another digest`);
    return bytes;
  }

  async temporaryFolder(): Promise<string> {
    await this.#discarded.settled();
    return this.temporary;
  }

  async writer(): Promise<BlobWriter> {
    const path = join(await this.temporaryFolder(), randomId());
    const file = await open(path, constants.O_CREAT | constants.O_EXCL | constants.O_WRONLY, 0o600).catch(throwDiskFailure);
    return new FileBlobWriter(this, path, file);
  }

  async adopt(path: string, blob: BlobInfo): Promise<void> {
    await this.#removed(blob.digest);
    const target = this.path(blob.digest);
    await rename(path, target);
    await syncFolder(join(target, ".."));
    await rm(this.#asidePath(blob.digest), { force: true });
  }

  remove(digest: Digest): Promise<void> {
    const removal = this.#remove(digest).finally(() => {
      if (this.#removals.get(digest) === removal) this.#removals.delete(digest);
    });
    this.#removals.set(digest, removal);
    return removal;
  }

  /** Waits for a removal under way. */
  async #removed(digest: Digest): Promise<void> {
    await this.#removals.get(digest)?.catch(() => {}); // told to who asked for it
  }

  async #remove(digest: Digest): Promise<void> {
    await this.#removed(digest);
    for (const path of [this.path(digest), this.#asidePath(digest)]) {
      const aside = await this.#discarded.setAside(path);
      if (aside !== undefined) this.#discarded.remove(aside);
    }
  }

  list(): AsyncGenerator<BlobInfo> {
    return blobsIn(this.#blobs);
  }

  async quarantine(digest: Digest): Promise<void> {
    const aside = this.#asidePath(digest);
    await rename(this.path(digest), aside);
    // First the place it has come to: after a power cut it is in one of them, or in both.
    await syncFolder(join(aside, ".."));
    await syncFolder(join(this.path(digest), ".."));
  }

  quarantined(): AsyncGenerator<BlobInfo> {
    return blobsIn(this.#damaged);
  }

  async isQuarantined(digest: Digest): Promise<boolean> {
    return (await sizeIfThere(this.#asidePath(digest))) !== undefined && (await this.info(digest)) === undefined;
  }

  async diskUse(): Promise<ReadonlyMap<Digest, number>> {
    const bytes = new Map<Digest, number>();
    for await (const { digest } of this.list()) bytes.set(digest, await allocatedBytes(this.path(digest)));
    for await (const { digest } of this.quarantined())
      bytes.set(digest, (bytes.get(digest) ?? 0) + (await allocatedBytes(this.#asidePath(digest))));
    return bytes;
  }

  #asidePath(digest: Digest): string {
    return join(this.#damaged, algorithmOf(digest), digestHex(digest));
  }

  async #open(digest: Digest): Promise<FileHandle> {
    await this.#removed(digest);
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
      const { bytesWritten } = await this.#file.write(chunk, start).catch(throwDiskFailure);
      start += bytesWritten;
    }
    this.#sizeBytes += chunk.length;
  }

  async commit(expected: { digest?: Digest; sizeBytes?: number }): Promise<BlobInfo> {
    try {
      const digest = await this.#check(expected);
      const blob = { digest, sizeBytes: this.#sizeBytes };
      await this.#file.datasync().catch(throwDiskFailure);
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

async function* blobsIn(folder: string): AsyncGenerator<BlobInfo> {
  for (const algorithm of algorithms)
    for await (const entry of await opendir(join(folder, algorithm))) {
      const digest = `${algorithm}:${entry.name}`;
      // A name that is no digest was not put there by this store.
      const sizeBytes = isDigest(digest) ? await sizeIfThere(join(folder, algorithm, entry.name)) : undefined;
      if (isDigest(digest) && sizeBytes !== undefined) yield { digest, sizeBytes };
    }
}

function algorithmOf(digest: Digest): Algorithm {
  return digest.startsWith("sha512:") ? "sha512" : "sha256";
}

function isMissing(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === "ENOENT";
}
