import { randomUUID } from "node:crypto";
import { open, rm, type FileHandle } from "node:fs/promises";
import { describeGzip, readGzip, type GzipDescription } from "./gzip.ts";
import { isMissing, type LogFile } from "./log-files.ts";

/** A compressed json-file. It is decompressed as a whole, into a file without a name, when its first byte is asked for. */
export class GzipLogFile implements LogFile {
  readonly id: number;
  /** Id of the file that was compressed: those who have it open know it by that. */
  readonly madeOf: number;
  readonly size: number;
  readonly modifiedMilliseconds: number;
  readonly #handle: FileHandle;
  #text: Promise<FileHandle> | undefined;
  readonly #folder: string;

  private constructor(handle: FileHandle, folder: string, id: number, madeOf: GzipDescription, modifiedMilliseconds: number) {
    this.#handle = handle;
    this.#folder = folder;
    this.id = id;
    this.madeOf = madeOf.inode;
    this.size = madeOf.size;
    this.modifiedMilliseconds = modifiedMilliseconds;
  }

  /** Undefined when there is no such file, or it is damaged. */
  static async open(path: string): Promise<GzipLogFile | undefined> {
    let handle: FileHandle;
    try {
      handle = await open(path, "r");
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    const description = await describeGzip(handle);
    const { ino, mtimeMs } = await handle.stat();
    if (!description) {
      await handle.close();
      return undefined;
    }
    const folder = path.slice(0, path.lastIndexOf("/"));
    return new GzipLogFile(handle, folder, ino, description, mtimeMs);
  }

  async read(buffer: Buffer, length: number, position: number): Promise<number> {
    this.#text ??= this.#decompress();
    const text = await this.#text;
    return (await text.read(buffer, 0, length, position)).bytesRead;
  }

  positionOf(): number {
    return 0;
  }

  async close(): Promise<void> {
    await this.#handle.close();
    await (await this.#text?.catch(() => undefined))?.close();
  }

  async #decompress(): Promise<FileHandle> {
    const path = `${this.#folder}/${randomUUID()}.reading.tmp`;
    const text = await open(path, "wx+", 0o600);
    try {
      await rm(path, { force: true });
      // The descriptor is what was opened: its name may be another file's by now.
      await readGzip(`/proc/self/fd/${this.#handle.fd}`, text).catch(() => undefined); // damaged: what could be read counts
      return text;
    } catch (error) {
      await text.close();
      throw error;
    }
  }
}
