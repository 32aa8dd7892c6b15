import { createGunzip, createZstdDecompress } from "node:zlib";
import { EngineError, messageOf } from "#lib/errors.ts";

export type Compression = "none" | "gzip" | "zstd";

/** Larger than zlib's own default: nearly twice as fast (bun: 284 → 488 MB/s). */
const chunkSize = 1 << 18;

/** Told by the first bytes, whatever a media type says. Source: RFC 1952, RFC 8878; skippable frames of zstd:chunked count as zstd. */
export function detectCompression(start: Uint8Array): Compression {
  const [first = 0, second = 0, third = 0, fourth = 0] = start;
  if (first === 0x1f && second === 0x8b) return "gzip";
  const isSkippable = (first & 0xf0) === 0x50 && second === 0x2a && third === 0x4d && fourth === 0x18;
  const isFrame = first === 0x28 && second === 0xb5 && third === 0x2f && fourth === 0xfd;
  return isFrame || isSkippable ? "zstd" : "none";
}

/**
 * Pushes `chunks` through the decompressor into `sink`, with the decompressor's thread beside the sink's. Pieces that the sink is given are
 * its own until it returns.
 * @throws {EngineError} `invalid` for a damaged or cut stream, and what the sink throws
 */
export async function decompress(compression: Compression, chunks: Iterable<Uint8Array>, sink: (piece: Uint8Array) => void): Promise<void> {
  if (compression === "none") {
    for (const chunk of chunks) sink(chunk);
    return;
  }
  const stream = compression === "gzip" ? createGunzip({ chunkSize }) : createZstdDecompress({ chunkSize });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  stream.on("data", (piece: Uint8Array) => {
    try {
      sink(piece);
    } catch (error) {
      stream.destroy();
      reject(error);
    }
  });
  stream.on("end", resolve);
  stream.on("error", (error) => reject(new EngineError("invalid", `${compression}: ${messageOf(error)}`, { cause: error })));
  await Promise.all([promise, feed(stream, chunks)]);
}

async function feed(stream: NodeJS.WritableStream & { readonly destroyed: boolean }, chunks: Iterable<Uint8Array>): Promise<void> {
  for (const chunk of chunks) {
    if (stream.destroyed) return;
    if (stream.write(chunk)) continue;
    await new Promise<void>((resume) => {
      const go = (): void => {
        stream.off("drain", go).off("close", go);
        resume();
      };
      stream.on("drain", go).on("close", go);
    });
  }
  if (!stream.destroyed) stream.end();
}
