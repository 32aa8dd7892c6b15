import type { Output } from "../output.ts";

const headerBytes = 8;
/** A call for so few bytes costs more than copying them here. */
const shortBytes = 64;
const keptProblemLength = 16384;

/**
 * Splits the stream of a container without a terminal: frames of a header (stream, three zeros, length as big-endian) and that many bytes.
 * @throws {Error} for what is no such stream, and for an error that the daemon puts in (stream 3)
 * Source: Engine API, "Stream format".
 */
export async function demultiplex(chunks: AsyncIterable<Uint8Array>, out: Output, err: Output): Promise<void> {
  const header = new Uint8Array(headerBytes);
  let headerFilled = 0;
  let rest = 0;
  let to: Output | undefined;
  let problem = "";
  const decoder = new TextDecoder();
  for await (const chunk of chunks) {
    // Written where the stream changes and at the end of the chunk: a write for each line would cost more than all the rest.
    const payload = new Uint8Array(chunk.byteLength);
    let filled = 0;
    let written = 0;
    const writeFilled = async (): Promise<void> => {
      const part = payload.subarray(written, filled);
      written = filled;
      if (part.byteLength === 0) return;
      if (to) await to.write(part);
      else problem = (problem + decoder.decode(part, { stream: true })).slice(0, keptProblemLength);
    };
    for (let at = 0; at < chunk.byteLength;) {
      if (rest === 0) {
        while (headerFilled < headerBytes && at < chunk.byteLength) header[headerFilled++] = chunk[at++] ?? 0;
        if (headerFilled < headerBytes) break;
        headerFilled = 0;
        rest = lengthIn(header);
        const next = streamOf(header[0], out, err);
        if (next !== to) await writeFilled();
        to = next;
        continue;
      }
      const length = Math.min(rest, chunk.byteLength - at);
      if (length > shortBytes) payload.set(chunk.subarray(at, at + length), filled);
      else for (let index = 0; index < length; index++) payload[filled + index] = chunk[at + index] ?? 0;
      filled += length;
      at += length;
      rest -= length;
    }
    await writeFilled();
  }
  if (problem !== "") throw new Error(`error from daemon in stream: ${problem}`);
}

function lengthIn(header: Uint8Array): number {
  const [a = 0, b = 0, c = 0, d = 0] = [header[4], header[5], header[6], header[7]];
  return a * 2 ** 24 + b * 2 ** 16 + c * 2 ** 8 + d;
}

/** Undefined for the daemon's own errors. */
function streamOf(stream: number | undefined, out: Output, err: Output): Output | undefined {
  if (stream === 0 || stream === 1) return out;
  if (stream === 2) return err;
  if (stream === 3) return undefined;
  throw new Error(`Unrecognized input header: ${stream ?? ""}`);
}
