import { closeSync, constants, existsSync, fdatasyncSync, fstatSync, openSync, readSync, renameSync, writeSync } from "node:fs";
import { isDiskFull } from "./disk-space.ts";

const newline = 10;

/** What tells whether output was written in part by a process that died. */
export interface FilePosition {
  readonly inode: number;
  readonly size: number;
}

/**
 * The json-file of one container as its only writer sees it: lines are appended, and the files are rotated before the line at which the
 * current one has reached its size, as Docker does. A file is never cut short under a collector that reads it.
 */
export class JsonFile {
  readonly #path: string;
  readonly #maxSizeBytes: number;
  readonly #maxFiles: number;
  #descriptor: number;

  constructor(path: string, limits: { readonly maxSizeBytes: number; readonly maxFiles: number }) {
    this.#path = path;
    this.#maxSizeBytes = limits.maxSizeBytes;
    this.#maxFiles = limits.maxFiles;
    // A rotation cut short between its two renames.
    if (!existsSync(path) && existsSync(this.#next)) renameSync(this.#next, path);
    this.#descriptor = openAppend(path);
  }

  /** Looked up each time: somebody else may have truncated the file. */
  get position(): FilePosition {
    const { ino, size } = fstatSync(this.#descriptor);
    return { inode: ino, size };
  }

  /** False when the last line has no end: a power loss left it so. */
  get endsWithLine(): boolean {
    const { size } = this.position;
    if (size === 0) return true;
    const last = Buffer.alloc(1);
    readSync(this.#descriptor, last, 0, 1, size - 1);
    return last[0] === newline;
  }

  /**
   * Writes `output[start, end)`, whole lines but for the first, which may have been begun before. Returns the position reached: `end`, or
   * less when the disk is full.
   * @param beforeRotation  called with the position reached; when it returns false, the file is not rotated now
   */
  write(output: Buffer, start: number, end: number, beforeRotation: (written: number) => boolean): number {
    let at = start;
    while (at < end) {
      let { size } = this.position;
      const atLineStart = at === 0 || output[at - 1] === newline;
      if (size >= this.#maxSizeBytes && atLineStart && beforeRotation(at) && this.#rotate()) size = 0;
      const until = this.#chunkEnd(output, at, end, size);
      const written = this.#append(output, at, until);
      at += written;
      if (at < until) break;
    }
    return at;
  }

  /** Before bytes of the spool are given up: after a power loss one of the two must be there. */
  sync(): void {
    fdatasyncSync(this.#descriptor);
  }

  close(): void {
    closeSync(this.#descriptor);
  }

  /** The file is full behind the line in which it reaches its size. */
  #chunkEnd(output: Buffer, at: number, end: number, size: number): number {
    const room = this.#maxSizeBytes - size;
    if (room >= end - at) return end;
    const line = output.indexOf(newline, at + Math.max(0, room - 1));
    return line < 0 || line >= end ? end : line + 1;
  }

  #append(output: Buffer, at: number, until: number): number {
    try {
      return writeSync(this.#descriptor, output, at, until - at);
    } catch (error) {
      if (isDiskFull(error)) return 0;
      throw error;
    }
  }

  get #next(): string {
    return `${this.#path}.next`;
  }

  /** False when no new file can be made: then the old one is used on. */
  #rotate(): boolean {
    let descriptor: number;
    try {
      descriptor = openAppend(this.#next);
    } catch (error) {
      if (isDiskFull(error)) return false;
      throw error;
    }
    if (this.#maxFiles > 1) this.#shift();
    renameSync(this.#next, this.#path);
    closeSync(this.#descriptor);
    this.#descriptor = descriptor;
    return true;
  }

  /** Moves each file one number up, from the lowest hole: cut short anywhere, it ends the same when done again. */
  #shift(): void {
    let hole = 1;
    while (hole < this.#maxFiles - 1 && existsSync(`${this.#path}.${hole}`)) hole++;
    for (let number = hole; number > 1; number--) renameIfThere(`${this.#path}.${number - 1}`, `${this.#path}.${number}`);
    renameIfThere(this.#path, `${this.#path}.1`);
  }
}

/** Somebody may have removed a log file by hand; what is gone needs no new name. */
function renameIfThere(from: string, to: string): void {
  if (existsSync(from)) renameSync(from, to);
}

function openAppend(path: string): number {
  return openSync(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o640);
}
