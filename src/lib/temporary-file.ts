import { constants } from "node:fs";
import { open, rm, type FileHandle } from "node:fs/promises";
import { join } from "node:path";
import { throwDiskFailure } from "./disk.ts";
import { randomId } from "./id.ts";

/** A file being written in a temporary folder. Disposal closes it, and removes it unless it was kept. */
export class TemporaryFile implements AsyncDisposable {
  readonly path: string;
  readonly #file: FileHandle;
  #sizeBytes = 0;
  #isOpen = true;
  #isKept = false;

  private constructor(path: string, file: FileHandle) {
    this.path = path;
    this.#file = file;
  }

  /** @throws {EngineError} `unavailable` when the disk is full */
  static create(folder: string, prefix = ""): Promise<TemporaryFile> {
    return TemporaryFile.at(join(folder, `${prefix}${randomId()}`));
  }

  /** One with a name of the caller's, who sees to it that there is none yet. @throws {EngineError} as `create` */
  static async at(path: string): Promise<TemporaryFile> {
    const flags = constants.O_CREAT | constants.O_EXCL | constants.O_RDWR;
    return new TemporaryFile(path, await open(path, flags, 0o600).catch(throwDiskFailure));
  }

  get sizeBytes(): number {
    return this.#sizeBytes;
  }

  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Appends; calls must not overlap. @throws {EngineError} `unavailable` when the disk is full */
  write(chunk: Uint8Array): Promise<void> {
    return this.writeAt(chunk, this.#sizeBytes);
  }

  /** Writes anywhere, also beyond the end, which is then behind what was written last. @throws {EngineError} as `write` */
  async writeAt(chunk: Uint8Array, position: number): Promise<void> {
    for (let start = 0; start < chunk.length;) {
      const { bytesWritten } = await this.#file.write(chunk, start, chunk.length - start, position + start).catch(throwDiskFailure);
      start += bytesWritten;
      this.#sizeBytes = Math.max(this.#sizeBytes, position + start);
    }
  }

  /** Begins again with an empty file. */
  async clear(): Promise<void> {
    await this.#file.truncate(0).catch(throwDiskFailure);
    this.#sizeBytes = 0;
  }

  /** Reads a part of what was written; shorter at the end of the file. */
  async read(offset: number, sizeBytes: number): Promise<Uint8Array> {
    const buffer = Buffer.alloc(Math.max(0, Math.min(sizeBytes, this.#sizeBytes - offset)));
    for (let filled = 0; filled < buffer.length;) {
      const { bytesRead } = await this.#file.read(buffer, filled, buffer.length - filled, offset + filled);
      if (bytesRead === 0) return buffer.subarray(0, filled);
      filled += bytesRead;
    }
    return buffer;
  }

  /** Brings the content to the disk. */
  async sync(): Promise<void> {
    await this.#file.datasync().catch(throwDiskFailure);
  }

  /** No more is written or read here; the file stays until disposal. */
  async close(): Promise<void> {
    if (!this.#isOpen) return;
    this.#isOpen = false;
    await this.#file.close();
  }

  /** The file now belongs to whoever has its path: disposal only closes it. */
  keep(): void {
    this.#isKept = true;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
    if (!this.#isKept) await rm(this.path, { force: true });
  }
}
