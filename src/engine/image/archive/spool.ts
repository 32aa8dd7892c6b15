import { createGunzip, createZstdDecompress } from "node:zlib";
import { detectCompression, type Compression } from "#drivers/snapshot/decompress.ts";
import { EngineError, messageOf } from "#lib/errors.ts";
import type { TemporaryFile } from "#lib/temporary-file.ts";
import { TarReader } from "#lib/tar/reader.ts";
import { TarError } from "#lib/tar/error.ts";
import type { MemberFiles } from "./member-files.ts";

const chunkSize = 1 << 18;
/** Enough to tell compressions apart. */
const magicBytes = 6;

/**
 * Puts the files of an uploaded archive on the disk, decompressed. Only the disk bounds their size.
 * @throws {EngineError} `invalid` for a damaged, cut or unsupported archive, `unavailable` when the disk is full
 */
export async function spoolMembers(body: AsyncIterable<Uint8Array>, files: MemberFiles, signal: AbortSignal): Promise<void> {
  const reader = new TarReader(files);
  try {
    for await (const chunk of decompressed(body, signal)) {
      signal.throwIfAborted();
      reader.push(chunk);
      await files.flush();
    }
    reader.finish();
  } catch (error) {
    signal.throwIfAborted();
    if (error instanceof TarError) throw new EngineError("invalid", `invalid archive: ${error.message}`, { cause: error });
    throw error;
  }
}

/**
 * Writes an uploaded archive to `file` as it comes.
 * @throws {EngineError} `invalid` for an unsupported compression, `unavailable` when the disk is full
 */
export async function spoolAsIs(body: AsyncIterable<Uint8Array>, file: TemporaryFile, signal: AbortSignal): Promise<void> {
  const chunks = body[Symbol.asyncIterator]();
  try {
    const start = await firstBytes(chunks);
    refuseUnknown(start);
    for await (const chunk of prepend(start, chunks)) {
      signal.throwIfAborted();
      await file.write(chunk);
    }
  } finally {
    await chunks.return?.();
  }
}

async function* decompressed(body: AsyncIterable<Uint8Array>, signal: AbortSignal): AsyncGenerator<Uint8Array> {
  const chunks = body[Symbol.asyncIterator]();
  try {
    const start = await firstBytes(chunks);
    const compression = detectCompression(start);
    refuseUnknown(start);
    const whole = prepend(start, chunks);
    if (compression === "none") yield* whole;
    else yield* inflate(compression, whole, signal);
  } finally {
    await chunks.return?.();
  }
}

/** The first chunks until the kind of archive can be told. */
async function firstBytes(chunks: AsyncIterator<Uint8Array>): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for (let length = 0; length < magicBytes;) {
    const next = await chunks.next();
    if (next.done) break;
    pieces.push(next.value);
    length += next.value.length;
  }
  return Buffer.concat(pieces);
}

async function* prepend(start: Uint8Array, chunks: AsyncIterator<Uint8Array>): AsyncGenerator<Uint8Array> {
  yield start;
  for (let next = await chunks.next(); !next.done; next = await chunks.next()) yield next.value;
}

/** Kinds that Docker hands to programs of the host, named so that the user knows. */
function refuseUnknown(start: Uint8Array): void {
  const magic = Buffer.from(start).toString("latin1", 0, magicBytes);
  if (magic.startsWith("BZh")) throw new EngineError("invalid", "bzip2 archives are not supported: use gzip or zstd");
  if (magic === "\u00fd7zXZ\0") throw new EngineError("invalid", "xz archives are not supported: use gzip or zstd");
}

/** Decompression runs on the thread pool; a slow consumer holds the body back. */
async function* inflate(
  compression: Exclude<Compression, "none">,
  chunks: AsyncIterable<Uint8Array>,
  signal: AbortSignal,
): AsyncGenerator<Uint8Array> {
  const stream = compression === "gzip" ? createGunzip({ chunkSize }) : createZstdDecompress({ chunkSize });
  const onAbort = (): unknown => stream.destroy(new Error("aborted"));
  signal.addEventListener("abort", onAbort, { once: true });
  let failure: unknown;
  const feeding = feed(stream, chunks).catch((error: unknown) => {
    failure = error; // the body's own fault, not the archive's
    stream.destroy();
  });
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) yield chunk;
  } catch (error) {
    throw failure ?? new EngineError("invalid", `invalid archive: ${compression}: ${messageOf(error)}`, { cause: error });
  } finally {
    signal.removeEventListener("abort", onAbort);
    stream.destroy();
    await feeding;
  }
}

async function feed(stream: NodeJS.WritableStream & { readonly destroyed: boolean }, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  for await (const chunk of chunks) {
    if (stream.destroyed) return;
    if (!stream.write(chunk)) await drained(stream);
  }
  if (!stream.destroyed) stream.end();
}

function drained(stream: NodeJS.WritableStream & { readonly destroyed: boolean }): Promise<void> {
  return new Promise((resolve) => {
    if (stream.destroyed) return resolve();
    const go = (): void => {
      stream.off("drain", go).off("close", go);
      resolve();
    };
    stream.on("drain", go).on("close", go);
  });
}
