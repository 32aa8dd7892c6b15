import { existsSync, readdirSync, renameSync, rmSync } from "node:fs";
import { dirname } from "node:path";
import { compressJsonFile, unfinishedSuffix } from "./json-compress.ts";
import { LogFileWriter, openAppend, tryOpenAppend, type Rotation } from "./log-file-writer.ts";

/** The json-files of one container: `x-json.log`, and older ones that end in `.1`, `.2`, … */
export class JsonFile extends LogFileWriter {
  constructor(path: string, limits: { readonly maxSizeBytes: number; readonly maxFiles: number; readonly compress?: boolean }) {
    super(new NumberedFiles(path, limits.maxFiles, limits.compress === true), limits.maxSizeBytes);
  }
}

class NumberedFiles implements Rotation {
  readonly #path: string;
  readonly #maxFiles: number;
  readonly #compress: boolean;
  #compressing = false;

  constructor(path: string, maxFiles: number, compress: boolean) {
    this.#path = path;
    this.#maxFiles = maxFiles;
    this.#compress = compress;
  }

  open(): number {
    // A rotation cut short between its two renames.
    if (!existsSync(this.#path) && existsSync(this.#next)) renameSync(this.#next, this.#path);
    if (this.#compress) this.#removeUnfinished();
    return openAppend(this.#path);
  }

  next(): number | undefined {
    const descriptor = tryOpenAppend(this.#next);
    if (descriptor === undefined) return undefined;
    if (this.#maxFiles > 1) this.#shift();
    renameSync(this.#next, this.#path);
    if (this.#compress) this.#compressOlder();
    return descriptor;
  }

  get #next(): string {
    return `${this.#path}.next`;
  }

  /** Moves each file one number up, from the lowest hole: cut short anywhere, it ends the same when done again. */
  #shift(): void {
    let hole = 1;
    while (hole < this.#maxFiles - 1 && (existsSync(this.#numbered(hole)) || existsSync(`${this.#numbered(hole)}.gz`))) hole++;
    for (const end of ["", ".gz"]) rmSync(this.#numbered(hole) + end, { force: true });
    for (let number = hole; number > 1; number--) {
      for (const end of ["", ".gz"]) renameIfThere(this.#numbered(number - 1) + end, this.#numbered(number) + end);
    }
    renameIfThere(this.#path, this.#numbered(1));
  }

  #numbered(number: number): string {
    return `${this.#path}.${number}`;
  }

  /** One file after the other, on the threads of the runtime. */
  #compressOlder(): void {
    const names = Array.from({ length: this.#maxFiles - 1 }, (_, index) => this.#numbered(index + 1));
    const older = this.#compressing ? undefined : names.findLast((name) => existsSync(name));
    if (older === undefined) return;
    this.#compressing = true;
    compressJsonFile(older, () => names).then(
      () => {
        this.#compressing = false;
        this.#compressOlder();
      },
      () => {
        this.#compressing = false; // no room, or the log was removed: tried again after the next rotation
      },
    );
  }

  /** What a kill has left. */
  #removeUnfinished(): void {
    const folder = dirname(this.#path);
    for (const name of readdirSync(folder)) if (name.endsWith(unfinishedSuffix)) rmSync(`${folder}/${name}`, { force: true });
  }
}

/** Somebody may have removed a log file by hand; what is gone needs no new name. */
function renameIfThere(from: string, to: string): void {
  if (existsSync(from)) renameSync(from, to);
}
