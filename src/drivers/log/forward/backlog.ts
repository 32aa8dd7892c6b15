import { localFiles, localFolder } from "../local/names.ts";
import { readSentCursor } from "./sent-cursor.ts";

const checkMilliseconds = 100;

export interface BacklogOptions {
  readonly logsFolder: string;
  /** Files that are kept for the server. */
  readonly keptFiles: number;
  /** How long a container waits for a server. */
  readonly waitMilliseconds: number;
}

/** Tells when a container should wait because its server has not got what it printed; before that the files of the log take it. */
export class Backlog {
  readonly #options: BacklogOptions;
  #inode = 0;
  #checkedAt = -Infinity;
  #fullSince: number | undefined;

  constructor(options: BacklogOptions) {
    this.#options = options;
  }

  /** @param inode  of the file that is written: only with another one there is a reason to look */
  holds(inode: number, now: number): boolean {
    if (this.#fullSince === undefined && inode === this.#inode) return false;
    if (now - this.#checkedAt >= checkMilliseconds) this.#check(inode, now);
    // Whoever has waited long enough runs on, until the server has caught up: the oldest is lost then.
    return this.#fullSince !== undefined && now - this.#fullSince < this.#options.waitMilliseconds;
  }

  #check(inode: number, now: number): void {
    this.#inode = inode;
    this.#checkedAt = now;
    const { logsFolder, keptFiles } = this.#options;
    const newest = localFiles(localFolder(logsFolder)).at(-1)?.sequence ?? 0;
    const unsent = newest - Math.max(1, readSentCursor(logsFolder)?.sequence ?? 0);
    if (unsent >= Math.max(1, keptFiles - 1)) this.#fullSince ??= now;
    else if (unsent <= Math.floor((keptFiles - 1) / 2)) this.#fullSince = undefined;
  }
}
