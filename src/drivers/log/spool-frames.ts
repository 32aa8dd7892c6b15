import { endsLine, headBytes, isHead, isStderr, recordEnd } from "./spool-record.ts";

/** What one client wants of the output. */
export interface FrameOptions {
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Docker's stream protocol: stream, three zeros, length as 32 bits, bytes. Otherwise bytes alone. */
  readonly framed: boolean;
}

const frameHeadBytes = 8;
const newline = 10;
/** Shorter texts are copied by a loop, longer ones by the buffer's own copy. */
const shortTextBytes = 48;

/**
 * Turns whole records of `input[0, length)` into frames: heads cut off, neighbours of one stream in one frame.
 * @param output  as long as `input`; each record is longer than what becomes of it
 * @returns bytes of `input` used and bytes of `output` filled
 */
export function toFrames(
  input: Buffer,
  length: number,
  output: Buffer,
  options: FrameOptions,
): { readonly used: number; readonly filled: number } {
  let position = 0;
  let filled = 0;
  let frameStart = -1;
  let frameIsStderr = false;
  const closeFrame = (): void => {
    if (options.framed && frameStart >= 0) output.writeUInt32BE(filled - frameStart - frameHeadBytes, frameStart + 4);
    frameStart = -1;
  };
  while (position + headBytes < length) {
    const start = isHead(input, position) ? position + headBytes : position;
    const end = recordEnd(input, start, length);
    if (end < 0) break;
    // Where no head is, nothing is known: the line is left out (a full disk or a power loss cut it).
    if (start > position) {
      const stderr = isStderr(input, position);
      if (stderr ? options.stderr : options.stdout) {
        if (frameStart < 0 || stderr !== frameIsStderr) {
          closeFrame();
          frameStart = filled;
          frameIsStderr = stderr;
          if (options.framed) filled = output.writeUInt32BE((stderr ? 2 : 1) * 0x1000000, filled) + 4;
        }
        filled = copyText(input, start, end, output, filled);
        if (endsLine(input, position)) output[filled++] = newline;
      }
    }
    position = end + 1;
  }
  closeFrame();
  return { used: position, filled };
}

function copyText(input: Buffer, start: number, end: number, output: Buffer, at: number): number {
  if (end - start > shortTextBytes) return at + input.copy(output, at, start, end);
  for (let from = start; from < end; from++) output[at++] = input[from] ?? 0;
  return at;
}
