import { rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { randomId } from "#lib/id.ts";
import { messageOf } from "#lib/errors.ts";
import type { Logger } from "#lib/log.ts";

/**
 * Trees that nobody sees any more. Removing them takes a time for each of their files, so it goes on when they are set aside; what a kill leaves
 * is found in the same folder by the next daemon.
 */
export class DiscardedFolders {
  readonly #folder: string;
  readonly #removeTree: (path: string) => Promise<void>;
  readonly #logger: Logger;
  readonly #underWay = new Set<Promise<void>>();

  /** @param folder where they are moved to, on their file system */
  constructor(folder: string, removeTree: (path: string) => Promise<void>, logger: Logger) {
    this.#folder = folder;
    this.#removeTree = removeTree;
    this.#logger = logger;
  }

  /** Takes a folder out of sight. @returns where it is now; undefined when there is none */
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

  /** One that is set aside, or was left by a kill: goes on after this returns. */
  remove(aside: string): void {
    this.#follow(aside, this.#removeTree(aside));
  }

  /** As `remove`, for a single file: a large one takes its time, too. */
  removeFile(aside: string): void {
    this.#follow(aside, rm(aside, { force: true }));
  }

  #follow(aside: string, removing: Promise<void>): void {
    const removal = removing
      .catch((error: unknown) => this.#logger.error("a folder cannot be removed", { folder: aside, reason: messageOf(error) }))
      .finally(() => this.#underWay.delete(removal));
    this.#underWay.add(removal);
  }

  /** What they took of the disk is free. */
  async settled(): Promise<void> {
    await Promise.all(this.#underWay);
  }
}
