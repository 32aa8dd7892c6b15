import { close, fstat, open, read, stat } from "node:fs";
import { promisify } from "node:util";
import type { LogEntry } from "./types.ts";

const openFile = promisify(open);
const statFile = promisify(stat);
const statDescriptor = promisify(fstat);
const closeFile = promisify(close);

/** An open file of a container's log; positions are those of its text, however it is kept. */
export interface LogFile {
  /** What it is known by while others are rotated. */
  readonly id: number;
  /** Size when it was opened. */
  readonly size: number;
  readonly modifiedMilliseconds: number;
  /** Reads without waiting on this thread; fewer bytes than asked for at a border of the file or at its end, 0 only there. */
  read(buffer: Buffer, length: number, position: number): Promise<number>;
  /** The beginning of a line before which all are older. */
  positionOf(timeNano: bigint): number;
  close(): Promise<void>;
}

/** The files of one log and the form of their lines. */
export interface LogFiles {
  /** All files, oldest first, as they stand between two rotations. The caller closes them. */
  open(): Promise<LogFile[]>;
  /** False when lines are written to a later file by now. @param file  undefined: there was none */
  isCurrent(file: LogFile | undefined): Promise<boolean>;
  /** Opens the file that comes after `file`; the oldest one when that cannot be known any more; undefined when there is none yet. */
  openNext(file: LogFile | undefined): Promise<LogFile | undefined>;
  /** Undefined when the line is damaged. */
  parse(line: Buffer): LogEntry | undefined;
}

/** A file of lines as they are. */
export class PlainLogFile implements LogFile {
  readonly id: number;
  readonly size: number;
  readonly modifiedMilliseconds: number;
  readonly #descriptor: number;

  private constructor(descriptor: number, id: number, size: number, modifiedMilliseconds: number) {
    this.#descriptor = descriptor;
    this.id = id;
    this.size = size;
    this.modifiedMilliseconds = modifiedMilliseconds;
  }

  /** Undefined when there is no such file. @param id  its inode when absent */
  static async open(path: string, id?: number): Promise<PlainLogFile | undefined> {
    let descriptor: number;
    try {
      descriptor = await openFile(path, "r");
    } catch (error) {
      if (isMissing(error)) return undefined;
      throw error;
    }
    const { ino, size, mtimeMs } = await statDescriptor(descriptor);
    return new PlainLogFile(descriptor, id ?? ino, size, mtimeMs);
  }

  read(buffer: Buffer, length: number, position: number): Promise<number> {
    return readFileAt(this.#descriptor, buffer, length, position);
  }

  positionOf(): number {
    return 0;
  }

  close(): Promise<void> {
    return closeFile(this.#descriptor);
  }
}

export async function closeLogFiles(files: readonly LogFile[]): Promise<void> {
  for (const file of files) await file.close();
}

/** 0 when there is no such file. */
export async function inodeOf(path: string): Promise<number> {
  try {
    return (await statFile(path)).ino;
  } catch (error) {
    if (isMissing(error)) return 0;
    throw error;
  }
}

export function isMissing(error: unknown): boolean {
  return error instanceof Error && "code" in error && error.code === "ENOENT";
}

export function readFileAt(descriptor: number, buffer: Buffer, length: number, position: number): Promise<number> {
  return new Promise((resolve, reject) => {
    read(descriptor, buffer, 0, length, position, (error, count) => {
      if (error) reject(error);
      else resolve(count);
    });
  });
}
