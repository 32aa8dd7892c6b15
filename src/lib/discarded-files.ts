import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "./errors.ts";
import { randomId } from "./id.ts";
import type { Logger } from "./log.ts";

/** One file of all folders after the other: the few threads that work on files are everybody's. */
let lastFile: Promise<void> = Promise.resolve();

/**
 * Files and trees that nobody sees any more. To free a large file takes tens of milliseconds, and a tree a time for each of its files, so it goes
 * on when they are set aside. What a kill leaves is found in the same folder by the next daemon.
 */
export class DiscardedFiles {
  readonly #folder: string;
  readonly #logger: Logger;
  readonly #trees = new Set<Promise<void>>();
  #files: Promise<void> = Promise.resolve();

  /** @param folder where they are moved to, on their file system */
  constructor(folder: string, logger: Logger) {
    this.#folder = folder;
    this.#logger = logger;
  }

  /** Takes a file or a folder out of sight. @returns where it is now; undefined when there is none */
  async setAside(path: string): Promise<string | undefined> {
    const aside = join(this.#folder, randomId());
    try {
      await rename(path, aside);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
      throw error;
    }
    return aside;
  }

  /** A file, or a folder of a few, that is set aside or was left by a kill: goes on after this returns. */
  remove(aside: string): void {
    lastFile = lastFile.then(() => this.#told(aside, rm(aside, { recursive: true, force: true })));
    this.#files = lastFile;
  }

  /** As `remove`, for a tree of many files. @param removing  does it in another process */
  removeTree(aside: string, removing: Promise<void>): void {
    const removal = this.#told(aside, removing).finally(() => this.#trees.delete(removal));
    this.#trees.add(removal);
  }

  /** What they took of the disk is free. */
  async settled(): Promise<void> {
    await Promise.all([this.#files, ...this.#trees]);
  }

  #told(aside: string, removing: Promise<void>): Promise<void> {
    return removing.catch((error: unknown) =>
      this.#logger.error("what was removed is still on the disk", { path: aside, reason: messageOf(error) }),
    );
  }
}
