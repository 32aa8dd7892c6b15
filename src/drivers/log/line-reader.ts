import type { LogFile } from "./log-files.ts";

const blockBytes = 128 << 10;
/** A record has at most 100 KB; more without a newline is damage. */
const longestLineBytes = 1 << 20;
/** Kept of such a line: a whole record may stand at its end. */
const keptBytes = 256 << 10;
const newline = 10;

/** Lines of a file that may still grow, from a position on. */
export class LineReader {
  readonly #file: Pick<LogFile, "read">;
  #buffer: Buffer = Buffer.alloc(0);
  /** Filled part of the buffer, and of it the part not given out. */
  #start = 0;
  #end = 0;
  #filePosition: number;

  constructor(file: Pick<LogFile, "read">, position: number) {
    this.#file = file;
    this.#filePosition = position;
  }

  /** Position in the file behind what has been read. */
  get position(): number {
    return this.#filePosition;
  }

  /** Position behind the last line that was given out. */
  get consumed(): number {
    return this.#filePosition - (this.#end - this.#start);
  }

  /** Reads the next block, not beyond `until`. False at the end. */
  async fill(until: number): Promise<boolean> {
    this.#makeRoom();
    const length = Math.min(blockBytes, until - this.#filePosition);
    if (length <= 0) return false;
    const count = await this.#file.read(this.#buffer.subarray(this.#end), length, this.#filePosition);
    this.#filePosition += count;
    this.#end += count;
    return count > 0;
  }

  /** The next whole line without its newline, valid until the next `fill`; undefined when more must be read. */
  next(): Buffer | undefined {
    const end = this.#buffer.indexOf(newline, this.#start);
    if (end < 0 || end >= this.#end) return undefined;
    const line = this.#buffer.subarray(this.#start, end);
    this.#start = end + 1;
    return line;
  }

  /** Moves the unfinished line to the front of a buffer that has room for a block behind it. */
  #makeRoom(): void {
    if (this.#end - this.#start > longestLineBytes) this.#start = this.#end - keptBytes;
    const rest = this.#buffer.subarray(this.#start, this.#end);
    if (rest.length + blockBytes > this.#buffer.length) {
      const larger = Buffer.allocUnsafeSlow(rest.length + 2 * blockBytes);
      rest.copy(larger);
      this.#buffer = larger;
    } else {
      this.#buffer.copyWithin(0, this.#start, this.#end);
    }
    this.#start = 0;
    this.#end = rest.length;
  }
}
