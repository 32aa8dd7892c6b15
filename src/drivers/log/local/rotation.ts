import { existsSync, mkdirSync, readdirSync, rmSync } from "node:fs";
import { isMissing } from "../log-files.ts";
import { openAppend, tryOpenAppend, type Rotation } from "../log-file-writer.ts";
import { compressLog, unfinishedSuffix } from "./compress.ts";
import { localFilePath, localFiles } from "./names.ts";

export interface SequenceFilesOptions {
  readonly folder: string;
  readonly maxFiles: number;
  readonly compress: boolean;
  /** First file that is still to be sent somewhere: it is kept as long as no more than `keptFiles` are there. */
  readonly needed?: () => number | undefined;
  readonly keptFiles?: number;
}

/** The files of the driver `local`: each rotation makes one with the next number, the oldest go, those between are compressed. */
export class SequenceFiles implements Rotation {
  readonly #options: SequenceFilesOptions;
  #current = 1;
  #compressing = false;

  constructor(options: SequenceFilesOptions) {
    this.#options = options;
  }

  open(): number {
    const { folder } = this.#options;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(folder)) if (name.endsWith(unfinishedSuffix)) rmSync(`${folder}/${name}`, { force: true });
    const newest = localFiles(folder).at(-1);
    this.#current = newest ? newest.sequence + (newest.compressed ? 1 : 0) : 1;
    this.#compressOlder();
    return openAppend(localFilePath(folder, this.#current, false));
  }

  next(): number | undefined {
    const descriptor = tryOpenAppend(localFilePath(this.#options.folder, this.#current + 1, false));
    if (descriptor === undefined) return undefined;
    this.#current++;
    this.#removeOldest();
    this.#compressOlder();
    return descriptor;
  }

  #removeOldest(): void {
    const { folder, maxFiles, needed, keptFiles } = this.#options;
    removeOldFiles(folder, { maxFiles, first: needed?.() ?? Infinity, keptFiles: keptFiles ?? maxFiles });
  }

  /** One file after the other, on the threads of the runtime; what a kill leaves undone is done after the next open. */
  #compressOlder(): void {
    if (!this.#options.compress || this.#compressing) return;
    const older = localFiles(this.#options.folder).find(({ sequence, compressed }) => !compressed && sequence < this.#current);
    if (!older) return;
    this.#compressing = true;
    compressLog(older.path).then(
      () => this.#compressNext(),
      (error: unknown) => {
        this.#compressing = false; // no room, or the log was removed: tried again after the next rotation
        if (isMissing(error) && existsSync(this.#options.folder)) this.#compressOlder(); // rotated away meanwhile
      },
    );
  }

  #compressNext(): void {
    this.#compressing = false;
    this.#compressOlder();
  }
}

export interface KeptFiles {
  readonly maxFiles: number;
  /** First file that is still to be sent. */
  readonly first: number;
  /** How many files there may be because of that. */
  readonly keptFiles: number;
}

export function removeOldFiles(folder: string, { maxFiles, first, keptFiles }: KeptFiles): void {
  const files = localFiles(folder);
  const current = files.at(-1)?.sequence ?? 0;
  for (const { sequence } of files) {
    const age = current - sequence; // 0: the current one
    if (age < maxFiles || (sequence >= first && age < keptFiles)) continue;
    for (const compressed of [false, true]) rmSync(localFilePath(folder, sequence, compressed), { force: true });
  }
}
