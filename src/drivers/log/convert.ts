import type { LogLineFormat } from "./line-format.ts";
import { endsLine, findHead, headBytes, isHead, isStderr, recordEnd, recordTime } from "./spool-record.ts";

/** What stands in the log of a line that its container has printed: a part of 16 KiB, or what is left at its newline. */
export interface LinePart {
  /** `text[start, end)`, without a newline. */
  readonly text: Buffer;
  readonly start: number;
  readonly end: number;
  /** Its newline follows. */
  readonly complete: boolean;
  /** A part of the same line came before. */
  readonly continued: boolean;
  readonly stderr: boolean;
  readonly time: string;
}

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
export const partBytes = 16384;
/** Room for the longest record of one input of 256 KiB, every byte of it replaced. */
const outputBytes = 2 << 20;

/**
 * Turns bytes of a spool into lines of a log. Pure: the same input and unfinished lines always give the same output, so what a killed
 * process wrote can be made again and skipped. One instance for each form of lines serves all containers; they share one output buffer.
 */
export abstract class Converter<Format extends LogLineFormat = LogLineFormat> {
  readonly output: Buffer;
  /** Bytes of `output` that are filled. */
  length = 0;
  #stdout = noLine;
  #stderr = noLine;

  constructor(output: Buffer = Buffer.allocUnsafeSlow(outputBytes)) {
    this.output = output;
  }

  /** Begins a piece of output; `prefix` comes before everything converted. */
  begin(format: Format, unfinished: UnfinishedLines, prefix: Uint8Array): void {
    this.useFormat(format);
    this.#stdout = unfinished.stdout;
    this.#stderr = unfinished.stderr;
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
      const next = this.wholeLine(input, position, length);
      if (next > position) return next;
    }
    const start = position + headBytes;
    const end = recordEnd(input, start, length);
    if (end < 0) return position;
    const cut = suspect ? findHead(input, start, end) : -1;
    if (!this.hasRoom(unfinished.text.length + end - start)) return position;
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
      const continued = partTime !== undefined;
      partTime ??= lastTime;
      this.emit({ text, start, end: start + partBytes, complete: false, continued, stderr, time: partTime });
    }
    const continued = partTime !== undefined;
    if (complete) this.emit({ text, start, end: text.length, complete, continued, stderr, time: partTime ?? lastTime });
    // Copied: the input buffer is used again.
    this.#keep(stderr, complete ? noLine : { text: Buffer.from(text.subarray(start)), partTime, lastTime });
  }

  #endLine(stderr: boolean): void {
    const { text, partTime, lastTime } = stderr ? this.#stderr : this.#stdout;
    const continued = partTime !== undefined;
    if (text.length > 0) this.emit({ text, start: 0, end: text.length, complete: false, continued, stderr, time: partTime ?? lastTime });
    this.#keep(stderr, noLine);
  }

  #keep(stderr: boolean, line: UnfinishedLine): void {
    if (stderr) this.#stderr = line;
    else this.#stdout = line;
  }

  /** The format of the lines of this container. */
  protected abstract useFormat(format: Format): void;

  /**
   * The usual case: a record that is a line of its own, the end of which is still to be found. Position behind it; `position` itself when it
   * is to be handled by `emit`.
   */
  protected abstract wholeLine(input: Buffer, position: number, length: number): number;

  protected abstract emit(part: LinePart): void;

  /** Whether the output has room for so much text, whatever it is. */
  protected abstract hasRoom(textBytes: number): boolean;
}
