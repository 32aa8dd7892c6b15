import { mkdir, readdir, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDiskFull, syncFolder } from "#lib/disk.ts";

/**
 * Names of what was found damaged and has not been replaced since, as empty files: the next daemon must not take it for whole either. What is
 * marked stays where it is, since containers may have it mounted.
 */
export class DamageMarks {
  readonly #folder: string;
  readonly #names: Set<string>;

  private constructor(folder: string, names: readonly string[]) {
    this.#folder = folder;
    this.#names = new Set(names);
  }

  static async open(folder: string): Promise<DamageMarks> {
    await mkdir(folder, { recursive: true, mode: 0o700 });
    return new DamageMarks(folder, await readdir(folder));
  }

  has(name: string): boolean {
    return this.#names.has(name);
  }

  /** In force at once; on disk when this returns, unless the disk is full: then until the end of this daemon. */
  async add(name: string): Promise<void> {
    if (this.#names.has(name)) return;
    this.#names.add(name);
    try {
      await writeFile(join(this.#folder, name), "");
      await syncFolder(this.#folder);
    } catch (error) {
      if (!isDiskFull(error)) throw error;
    }
  }

  async remove(name: string): Promise<void> {
    if (this.#names.delete(name)) await rm(join(this.#folder, name), { force: true });
  }
}
