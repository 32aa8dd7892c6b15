import type { Output } from "../output.ts";

const headerBytes = 8;

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
    let at = 0;
    while (at < chunk.byteLength) {
      if (rest === 0) {
        const taken = Math.min(headerBytes - headerFilled, chunk.byteLength - at);
        header.set(chunk.subarray(at, at + taken), headerFilled);
        headerFilled += taken;
        at += taken;
        if (headerFilled < headerBytes) break;
        headerFilled = 0;
        rest = new DataView(header.buffer).getUint32(4);
        to = streamOf(header[0], out, err);
        continue;
      }
      const part = chunk.subarray(at, at + rest);
      at += part.byteLength;
      rest -= part.byteLength;
      if (to) await to.write(part);
      else problem = (problem + decoder.decode(part, { stream: true })).slice(0, 16384);
    }
  }
  if (problem !== "") throw new Error(`error from daemon in stream: ${problem}`);
}

/** Undefined for the daemon's own errors. */
function streamOf(stream: number | undefined, out: Output, err: Output): Output | undefined {
  if (stream === 0 || stream === 1) return out;
  if (stream === 2) return err;
  if (stream === 3) return undefined;
  throw new Error(`Unrecognized input header: ${stream ?? ""}`);
}
