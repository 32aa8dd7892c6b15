import { EngineError } from "#lib/errors.ts";

/** Reads a small answer whole. @throws {EngineError} `too_large` as soon as it is longer; the rest is not read */
export async function readAtMost(response: Response, limitBytes: number): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  let length = 0;
  if (!response.body) return new Uint8Array();
  // Leaving the loop by a throw cancels the body.
  for await (const piece of response.body as AsyncIterable<Uint8Array>) {
    length += piece.length;
    if (length > limitBytes) throw new EngineError("too_large", `the registry's answer is larger than ${limitBytes} bytes`);
    pieces.push(piece);
  }
  return Buffer.concat(pieces);
}
