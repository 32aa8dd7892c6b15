import { closeSync, constants, fdatasyncSync, fstatSync, openSync, readSync, writeSync } from "node:fs";
import { isDiskFull } from "#lib/disk.ts";

const newline = 10;

/** What tells whether output was written in part by a process that died. */
export interface FilePosition {
  readonly inode: number;
  readonly size: number;
}

/** The files of a log, of which one is written. */
export interface Rotation {
  /** Opens the current file to append. */
  open(): number;
  /** Makes the next file the current one and opens it; undefined when the disk has no room for it. */
  next(): number | undefined;
}

/**
 * The log of one container as its only writer sees it: lines are appended, and the files are rotated before the line at which the current
 * one has reached its size, as Docker does. A file is never cut short under a collector that reads it.
 */
export class LogFileWriter {
  readonly #rotation: Rotation;
  readonly #maxSizeBytes: number;
  #descriptor: number;

  constructor(rotation: Rotation, maxSizeBytes: number) {
    this.#rotation = rotation;
    this.#maxSizeBytes = maxSizeBytes;
    this.#descriptor = rotation.open();
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

  /** False when no new file can be made: then the old one is used on. */
  #rotate(): boolean {
    const descriptor = this.#rotation.next();
    if (descriptor === undefined) return false;
    closeSync(this.#descriptor);
    this.#descriptor = descriptor;
    return true;
  }
}

export function openAppend(path: string): number {
  return openSync(path, constants.O_RDWR | constants.O_APPEND | constants.O_CREAT, 0o640);
}

/** Undefined when the disk is full. */
export function tryOpenAppend(path: string): number | undefined {
  try {
    return openAppend(path);
  } catch (error) {
    if (isDiskFull(error)) return undefined;
    throw error;
  }
}
