import { EngineError } from "#lib/errors.ts";

/** A document that takes longer is given up, however it drips. */
const documentMilliseconds = 30_000;

/**
 * Reads a small answer whole.
 * @throws {EngineError} `too_large` as soon as it is longer, the rest is not read; `internal` when it takes too long
 */
export async function readAtMost(response: Response, limitBytes: number, limitMilliseconds = documentMilliseconds): Promise<Uint8Array> {
  if (!response.body) return new Uint8Array();
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  const late = Promise.withResolvers<never>();
  late.promise.catch(() => {}); // all was there in time
  const timer = setTimeout(() => late.reject(new EngineError("internal", "the registry takes too long to answer")), limitMilliseconds);
  const pieces: Uint8Array[] = [];
  let isDone = false;
  try {
    for (let length = 0; !isDone;) {
      const next = await Promise.race([reader.read(), late.promise]);
      isDone = next.done;
      if (!next.value) continue;
      length += next.value.length;
      if (length > limitBytes) throw new EngineError("too_large", `the registry's answer is larger than ${limitBytes} bytes`);
      pieces.push(next.value);
    }
  } finally {
    clearTimeout(timer);
    if (!isDone) await reader.cancel().catch(() => {}); // of a connection that is broken already
  }
  return Buffer.concat(pieces);
}
