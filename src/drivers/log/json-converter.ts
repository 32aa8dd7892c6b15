import { Converter, partBytes, type LinePart } from "./convert.ts";
import { escapeClass, escapeGrowth, escapeInto, lineStart, type LineFormat } from "./json-line.ts";
import { headBytes, isStderr, recordEnd, recordTime } from "./spool-record.ts";

/** Text that the fast path takes; what conmon writes as one record, and a little. */
const fastTextBytes = 8200;
/** Longest attributes of one container: they stand in each of its lines. */
export const attributesLimitBytes = 8192;
const newline = 10;
const lineEnd = Buffer.from('"}\n');
const timeBytes = 40;

/** Makes lines of a json-file. */
export class JsonConverter extends Converter<LineFormat> {
  #format: Pick<LineFormat, "stdout" | "stderr"> = { stdout: Buffer.alloc(0), stderr: Buffer.alloc(0) };
  /** Records of one read of conmon share their head: the end of their lines is built once. */
  readonly #tailHead = Buffer.alloc(headBytes);
  readonly #tail = Buffer.alloc(attributesLimitBytes + 256);
  #tailLength = 0;

  protected useFormat(format: LineFormat): void {
    this.#format = format;
    this.#tailHead.fill(0);
  }

  /** By a loop over bytes. */
  protected wholeLine(input: Buffer, position: number, length: number): number {
    if (!this.hasRoom(fastTextBytes)) return position;
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

  protected emit({ text, start, end, complete, stderr, time }: LinePart): void {
    const output = this.output;
    let to = this.length + lineStart.copy(output, this.length);
    to = escapeInto(text, start, end, output, to);
    if (complete) to += output.write("\\n", to, "latin1");
    to += (stderr ? this.#format.stderr : this.#format.stdout).copy(output, to);
    to += output.write(time, to, "latin1");
    this.length = to + lineEnd.copy(output, to);
  }

  protected hasRoom(textBytes: number): boolean {
    const parts = Math.floor(textBytes / partBytes) + 1;
    const perPart = lineStart.length + Math.max(this.#format.stdout.length, this.#format.stderr.length) + timeBytes;
    return this.length + textBytes * escapeGrowth + parts * perPart <= this.output.length;
  }
}
