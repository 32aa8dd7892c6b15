import { parseTimeNano } from "#lib/clock.ts";
import { Converter, partBytes, type LinePart } from "../convert.ts";
import type { LogLineFormat } from "../line-format.ts";
import { headBytes, isStderr, recordEnd, recordTime } from "../spool-record.ts";
import { kindLetter, recordHeadBytes, writeTime } from "./record.ts";

const newline = 10;
/** Bytes of a spool's head that are its time. */
const spoolTimeBytes = 35;
const letters = {
  stdout: { whole: kindLetter(false, "whole"), part: kindLetter(false, "part"), last: kindLetter(false, "last") },
  stderr: { whole: kindLetter(true, "whole"), part: kindLetter(true, "part"), last: kindLetter(true, "last") },
};

/** Lines of the driver `local`; the same for all containers. */
export const localFormat: LogLineFormat = {
  ownLine(text, time) {
    const head = Buffer.alloc(recordHeadBytes);
    head[writeTime(parseTimeNano(time) ?? 0n, head, 0)] = letters.stderr.whole;
    return Buffer.concat([head, Buffer.from(`${text}\n`)]);
  },
  restOfLine(output, cut, length) {
    if (cut === 0 || output[cut - 1] === newline || cut >= length) return Buffer.alloc(0);
    const start = output.lastIndexOf(newline, cut - 1) + 1;
    return Buffer.concat([output.subarray(cut, Math.max(cut, start + recordHeadBytes)), Buffer.of(newline)]);
  },
};

/** Makes lines of the driver `local`: heads are replaced, texts are copied. */
export class LocalConverter extends Converter {
  /** Records of one read of conmon share their time, which is converted once. */
  readonly #spoolTime = Buffer.alloc(spoolTimeBytes);
  readonly #head = Buffer.alloc(recordHeadBytes);
  #time = "";
  readonly #partHead = Buffer.alloc(recordHeadBytes);

  protected useFormat(): void {
    // The format is the same for all.
  }

  protected wholeLine(input: Buffer, position: number, length: number): number {
    const start = position + headBytes;
    const end = recordEnd(input, start, length);
    if (end < 0 || end - start >= partBytes || !this.hasRoom(end - start)) return position;
    if (this.#spoolTime.compare(input, position, position + spoolTimeBytes) !== 0) {
      input.copy(this.#spoolTime, 0, position, position + spoolTimeBytes);
      writeTime(parseTimeNano(recordTime(input, position)) ?? 0n, this.#head, 0);
    }
    this.#head[recordHeadBytes - 1] = isStderr(input, position) ? letters.stderr.whole : letters.stdout.whole;
    const text = this.length + this.#head.copy(this.output, this.length);
    this.length = text + input.copy(this.output, text, start, end + 1); // with the newline
    return end + 1;
  }

  protected emit({ text, start, end, complete, continued, stderr, time }: LinePart): void {
    if (time !== this.#time) {
      this.#time = time;
      writeTime(parseTimeNano(time) ?? 0n, this.#partHead, 0);
    }
    const kind = !complete ? "part" : continued ? "last" : "whole";
    this.#partHead[recordHeadBytes - 1] = letters[stderr ? "stderr" : "stdout"][kind];
    let to = this.length + this.#partHead.copy(this.output, this.length);
    to += text.copy(this.output, to, start, end);
    this.output[to] = newline;
    this.length = to + 1;
  }

  protected hasRoom(textBytes: number): boolean {
    const parts = Math.floor(textBytes / partBytes) + 1;
    return this.length + textBytes + parts * (recordHeadBytes + 1) <= this.output.length;
  }
}
