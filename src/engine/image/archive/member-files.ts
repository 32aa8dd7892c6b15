import { join } from "node:path";
import { randomId } from "#lib/id.ts";
import type { TarEntry, TarHandler } from "#lib/tar/entry.ts";
import { TemporaryFile } from "#lib/temporary-file.ts";
import { ArchiveIndex } from "./members.ts";

/** From this size on a file gets one of its own; documents and tiny layers are smaller. */
const ownFileBytes = 1 << 20;
const prefix = "load-";

/** A file of the archive that is on the disk as a whole, in a file of its own. */
export interface LargeMember {
  readonly name: string;
  readonly path: string;
}

/** What is to be done with the files, in order. */
type Step = { readonly begin: string } | { readonly write: Uint8Array } | { readonly end: LargeMember };

/**
 * Puts the files of an archive on the disk as they come: the large ones into files of their own, which can become layers and blobs without
 * being copied, the others into one file. Disposal removes those that are still where they were put.
 */
export class MemberFiles implements TarHandler, AsyncDisposable {
  readonly index = new ArchiveIndex();
  readonly #folder: string;
  readonly #small: TemporaryFile;
  readonly #large: TemporaryFile[] = [];
  readonly #onLarge: (member: LargeMember) => void;
  /** Bytes of the file for the small ones, with those that are still to be written. */
  #smallBytes = 0;
  #steps: Step[] = [];
  #member: "skipped" | "small" | LargeMember = "skipped";

  private constructor(folder: string, small: TemporaryFile, onLarge: (member: LargeMember) => void) {
    this.#folder = folder;
    this.#small = small;
    this.#onLarge = onLarge;
  }

  /**
   * @param folder  for temporary files
   * @param onLarge  told of each large file when it is complete
   * @throws {EngineError} `unavailable` when the disk is full
   */
  static async create(folder: string, onLarge: (member: LargeMember) => void): Promise<MemberFiles> {
    return new MemberFiles(folder, await TemporaryFile.create(folder, prefix), onLarge);
  }

  entry(entry: TarEntry): void {
    // The data of a sparse file are not one range.
    if (entry.type !== "file" || entry.segments) {
      this.index.add(entry, undefined);
      this.#member = "skipped";
    } else if (entry.sizeBytes < ownFileBytes) {
      this.index.add(entry, { path: this.#small.path, offset: this.#smallBytes, sizeBytes: entry.sizeBytes });
      this.#smallBytes += entry.sizeBytes;
      this.#member = "small";
    } else {
      const path = join(this.#folder, `${prefix}${randomId()}`);
      const name = this.index.add(entry, { path, offset: undefined, sizeBytes: entry.sizeBytes });
      this.#member = { name, path };
      this.#steps.push({ begin: path });
    }
  }

  data(piece: Uint8Array): void {
    if (this.#member !== "skipped") this.#steps.push({ write: piece });
  }

  end(): void {
    if (typeof this.#member === "object") this.#steps.push({ end: this.#member });
  }

  /** Writes what the reader has told since the last time; the memory that it read must not change before. @throws {EngineError} as `create` */
  async flush(): Promise<void> {
    const steps = this.#steps;
    this.#steps = [];
    for (const step of steps) await this.#take(step);
  }

  async #take(step: Step): Promise<void> {
    if ("begin" in step) this.#large.push(await TemporaryFile.at(step.begin));
    else if ("write" in step) await this.#current().write(step.write);
    else {
      await this.#large.at(-1)?.close();
      this.#onLarge(step.end);
    }
  }

  /** A large file is written from its begin to its end, with nothing between. */
  #current(): TemporaryFile {
    const last = this.#large.at(-1);
    return last?.isOpen ? last : this.#small;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const file of [this.#small, ...this.#large]) await file[Symbol.asyncDispose]();
  }
}
