import { closeLogFiles, PlainLogFile, type LogFile, type LogFiles } from "../log-files.ts";
import { BlockFile } from "./block-file.ts";
import { listLocalFiles, type LocalFileName } from "./names.ts";
import { parseLocalEntry } from "./record.ts";

const openAttempts = 20;

/** The files of a log of the driver `local`, known by their sequence numbers. */
export class LocalLogFiles implements LogFiles {
  readonly parse = parseLocalEntry;
  readonly #folder: string;

  constructor(folder: string) {
    this.#folder = folder;
  }

  async open(): Promise<LogFile[]> {
    const files: LogFile[] = [];
    try {
      for (const name of await listLocalFiles(this.#folder)) {
        const file = await this.#openFile(name);
        if (file) files.push(file);
      }
      return files;
    } catch (error) {
      await closeLogFiles(files);
      throw error;
    }
  }

  async isCurrent(file: LogFile | undefined): Promise<boolean> {
    return (await listLocalFiles(this.#folder)).at(-1)?.sequence === file?.id;
  }

  openNext(file: LogFile | undefined): Promise<LogFile | undefined> {
    return this.openFrom((file?.id ?? 0) + 1);
  }

  /** Opens the file with this sequence number, or the first one after it. */
  async openFrom(sequence: number): Promise<LogFile | undefined> {
    for (const name of await listLocalFiles(this.#folder)) {
      const file = name.sequence >= sequence ? await this.#openFile(name) : undefined;
      if (file) return file;
    }
    return undefined;
  }

  /** It may be replaced by its compressed form just now, or removed. */
  async #openFile({ sequence, compressed, path }: LocalFileName): Promise<LogFile | undefined> {
    const compressedPath = path.replace(/\.log$/, ".zst");
    for (let attempt = 0; attempt < openAttempts; attempt++) {
      const plain = compressed ? undefined : await PlainLogFile.open(path, sequence);
      const file = plain ?? (await BlockFile.open(compressedPath, sequence));
      if (file) return file;
      if (!(await listLocalFiles(this.#folder)).some((name) => name.sequence === sequence)) return undefined;
    }
    return undefined;
  }
}
