import { escapeClass, escapeGrowth, escapeInto, lineStart, type LineFormat } from "./json-line.ts";
import { endsLine, findHead, headBytes, isHead, isStderr, recordEnd, recordTime } from "./spool-record.ts";

/** A line that the container has begun and not ended, of one of its outputs. */
export interface UnfinishedLine {
  /** Fewer than `partBytes`. */
  readonly text: Buffer;
  /** Time of the line's first part, when one has been written: all parts of a line carry it. */
  readonly partTime: string | undefined;
  /** Time of the last piece. */
  readonly lastTime: string;
}

export interface UnfinishedLines {
  readonly stdout: UnfinishedLine;
  readonly stderr: UnfinishedLine;
}

const noLine: UnfinishedLine = { text: Buffer.alloc(0), partTime: undefined, lastTime: "" };
export const noLines: UnfinishedLines = { stdout: noLine, stderr: noLine };

/** Docker cuts a line every 16 KiB; each part but the last has no newline. */
const partBytes = 16384;
/** Text that the fast path takes; what conmon writes as one record, and a little. */
const fastTextBytes = 8200;
/** Room for the longest record of one input of 256 KiB, every byte of it replaced. */
const outputBytes = 2 << 20;
const newline = 10;
const lineEnd = Buffer.from('"}\n');
const timeBytes = 40;

/**
 * Turns bytes of a spool into lines of a json-file. Pure: the same input and unfinished lines always give the same output, so what a killed
 * process wrote can be made again and skipped. One instance, with one output buffer, serves all containers.
 */
export class Converter {
  readonly output = Buffer.allocUnsafeSlow(outputBytes);
  /** Bytes of `output` that are filled. */
  length = 0;
  #format: LineFormat = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  #stdout = noLine;
  #stderr = noLine;
  /** Records of one read of conmon share their head: the end of their lines is built once. */
  readonly #tailHead = Buffer.alloc(headBytes);
  readonly #tail = Buffer.alloc(attributesLimitBytes + 256);
  #tailLength = 0;

  /** Begins a piece of output; `prefix` comes before everything converted. */
  begin(format: LineFormat, unfinished: UnfinishedLines, prefix: Uint8Array): void {
    this.#format = format;
    this.#stdout = unfinished.stdout;
    this.#stderr = unfinished.stderr;
    this.#tailHead.fill(0);
    this.output.set(prefix);
    this.length = prefix.length;
  }

  get unfinished(): UnfinishedLines {
    return { stdout: this.#stdout, stderr: this.#stderr };
  }

  /**
   * Converts whole records of `input[0, length)` until the output is full; returns the bytes used.
   * @param suspect  the disk was full when these bytes were written: a record may be cut and go on with another's head
   */
  convert(input: Buffer, length: number, suspect: boolean): number {
    let position = 0;
    while (position + headBytes < length) {
      const next = this.#next(input, position, length, suspect);
      if (next === position) break;
      position = next;
    }
    return position;
  }

  /** The output has ended: what has no newline is a line too. */
  end(): void {
    this.#endLine(false);
    this.#endLine(true);
  }

  /** Position behind the record at `position`; `position` itself when it is not there as a whole or its output has no room. */
  #next(input: Buffer, position: number, length: number, suspect: boolean): number {
    if (!isHead(input, position)) return this.#skipDamage(input, position, length);
    const unfinished = isStderr(input, position) ? this.#stderr : this.#stdout;
    if (!suspect && endsLine(input, position) && unfinished === noLine) {
      const next = this.#wholeLine(input, position, length);
      if (next > position) return next;
    }
    const start = position + headBytes;
    const end = recordEnd(input, start, length);
    if (end < 0) return position;
    const cut = suspect ? findHead(input, start, end) : -1;
    if (!this.#hasRoom(unfinished.text.length + end - start)) return position;
    // A cut record has lost its end, and with it the newline that its head tells of: the line ends here all the same.
    this.#append(input, position, cut < 0 ? end : cut, cut >= 0 || endsLine(input, position));
    return cut < 0 ? end + 1 : cut;
  }

  /** Where no head is, the next one is looked for, in this line and then behind it. */
  #skipDamage(input: Buffer, position: number, length: number): number {
    const end = recordEnd(input, position, length);
    if (end < 0) return position;
    const head = findHead(input, position, end);
    return head < 0 ? end + 1 : head;
  }

  /** The usual case by a loop over bytes: a line that is one record. Returns `position` when it is something else. */
  #wholeLine(input: Buffer, position: number, length: number): number {
    if (!this.#hasRoom(fastTextBytes)) return position;
    const output = this.output;
    const start = position + headBytes;
    const limit = Math.min(length, start + fastTextBytes);
    let from = start;
    output.set(lineStart, this.length);
    let to = this.length + lineStart.length;
    while (from < limit) {
      const byte = input[from] ?? 0;
      if (escapeClass[byte] !== 0) break;
      output[to++] = byte;
      from++;
    }
    if (input[from] !== newline || from >= limit) {
      const end = recordEnd(input, from, length);
      if (end < 0 || end > limit) return position;
      to = escapeInto(input, from, end, output, to);
      from = end;
    }
    this.#buildTail(input, position);
    const tail = this.#tail;
    const tailLength = this.#tailLength;
    for (let index = 0; index < tailLength; index++) output[to + index] = tail[index] ?? 0;
    this.length = to + tailLength;
    return from + 1;
  }

  #buildTail(input: Buffer, position: number): void {
    const last = this.#tailHead;
    // From the end of the time: that is where neighbours differ.
    let index = 28;
    while (index >= 0 && input[position + index] === last[index]) index--;
    if (index < 0 && last[39] === input[position + 39]) return;
    input.copy(last, 0, position, position + headBytes);
    const middle = isStderr(input, position) ? this.#format.stderr : this.#format.stdout;
    const tail = this.#tail;
    let length = tail.write("\\n", 0, "latin1");
    length += middle.copy(tail, length);
    length += tail.write(recordTime(input, position), length, "latin1");
    this.#tailLength = length + lineEnd.copy(tail, length);
  }

  /** The general case: pieces of lines, and lines longer than a part. */
  #append(input: Buffer, position: number, end: number, complete: boolean): void {
    const stderr = isStderr(input, position);
    const before = stderr ? this.#stderr : this.#stdout;
    const piece = input.subarray(position + headBytes, end);
    const text = before.text.length === 0 ? piece : Buffer.concat([before.text, piece]);
    const lastTime = recordTime(input, position);
    let { partTime } = before;
    let start = 0;
    for (; text.length - start >= partBytes; start += partBytes) {
      partTime ??= lastTime;
      this.#emit(text, start, start + partBytes, false, stderr, partTime);
    }
    if (complete) this.#emit(text, start, text.length, true, stderr, partTime ?? lastTime);
    // Copied: the input buffer is used again.
    this.#keep(stderr, complete ? noLine : { text: Buffer.from(text.subarray(start)), partTime, lastTime });
  }

  #endLine(stderr: boolean): void {
    const { text, partTime, lastTime } = stderr ? this.#stderr : this.#stdout;
    if (text.length > 0) this.#emit(text, 0, text.length, false, stderr, partTime ?? lastTime);
    this.#keep(stderr, noLine);
  }

  #keep(stderr: boolean, line: UnfinishedLine): void {
    if (stderr) this.#stderr = line;
    else this.#stdout = line;
  }

  #emit(text: Buffer, start: number, end: number, complete: boolean, stderr: boolean, time: string): void {
    const output = this.output;
    let to = this.length + lineStart.copy(output, this.length);
    to = escapeInto(text, start, end, output, to);
    if (complete) to += output.write("\\n", to, "latin1");
    to += (stderr ? this.#format.stderr : this.#format.stdout).copy(output, to);
    to += output.write(time, to, "latin1");
    this.length = to + lineEnd.copy(output, to);
  }

  #hasRoom(textBytes: number): boolean {
    const parts = Math.floor(textBytes / partBytes) + 1;
    const perPart = lineStart.length + Math.max(this.#format.stdout.length, this.#format.stderr.length) + timeBytes;
    return this.length + textBytes * escapeGrowth + parts * perPart <= this.output.length;
  }
}

/** Longest attributes of one container: they stand in each of its lines. */
export const attributesLimitBytes = 8192;
