import { GzipLogFile } from "./gzip-log-file.ts";
import { parseEntry } from "./json-entry.ts";
import { closeLogFiles, inodeOf, PlainLogFile, type LogFile, type LogFiles } from "./log-files.ts";

const snapshotAttempts = 20;

/** The json-files of a container, known by their inodes: a rotation changes their names. */
export class JsonLogFiles implements LogFiles {
  readonly parse = parseEntry;
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** @throws ErrnoException other than `ENOENT` */
  async open(): Promise<LogFile[]> {
    for (let attempt = 1; ; attempt++) {
      const files = await this.#openAll();
      const unchanged = (await this.isCurrent(files.at(-1))) && new Set(files.map((file) => file.id)).size === files.length;
      if (unchanged || attempt === snapshotAttempts) return files;
      await closeLogFiles(files);
    }
  }

  async isCurrent(file: LogFile | undefined): Promise<boolean> {
    return (await inodeOf(this.#path)) === (file?.id ?? 0);
  }

  async openNext(file: LogFile | undefined): Promise<LogFile | undefined> {
    const files = await this.open();
    // Of several the newest: a number is used again, but not while somebody has the file open.
    const index = files.findLastIndex((other) => other.id === file?.id || (other instanceof GzipLogFile && other.madeOf === file?.id));
    const next = files[index + 1];
    await closeLogFiles(files.filter((other) => other !== next));
    return next;
  }

  async #openAll(): Promise<LogFile[]> {
    const files: LogFile[] = [];
    try {
      // Newest first: a rotation in between shows one twice, and is seen by that.
      for (let number = 0; ; number++) {
        const name = number === 0 ? this.#path : `${this.#path}.${number}`;
        const file = (await PlainLogFile.open(name)) ?? (number === 0 ? undefined : await GzipLogFile.open(`${name}.gz`));
        if (file) files.unshift(file);
        else if (number > 0) return files;
      }
    } catch (error) {
      await closeLogFiles(files);
      throw error;
    }
  }
}
