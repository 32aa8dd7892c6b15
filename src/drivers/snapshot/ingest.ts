import { closeSync, constants, fdatasyncSync, ftruncateSync, openSync, readSync, writeSync } from "node:fs";
import { join } from "node:path";
import { parseDigest, type Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import { paddingBytes } from "#lib/tar/encode.ts";
import { TarReader } from "#lib/tar/reader.ts";
import { buildFromTree } from "./build.ts";
import { decompress, detectCompression } from "./decompress.ts";
import type { IngestedLayer, IngestRequest } from "./helper-protocol.ts";
import { LayerTree } from "./layer-tree.ts";

const readBytes = 1 << 18;

/**
 * Takes in a layer's blob in one pass: hash of the compressed bytes, decompression, hash of the tar, the tar itself on disk, and the tree from
 * which the layer is built. Blocks: for helper processes. What it wrote before an error is the caller's to remove.
 * @throws {EngineError} `invalid` for a wrong digest or a damaged stream; {TarError} for a bad archive
 */
export async function ingestLayer(request: IngestRequest): Promise<IngestedLayer> {
  const source = new SourceFile(request);
  const tree = new LayerTree();
  const tarPath = join(request.output, "tar");
  const tar = new TarFile(tarPath, tree);
  try {
    await decompress(source.compression, source.chunks(), (piece) => tar.push(piece));
    const digest = source.digest();
    checkDigest("layer blob", digest, request.expectedDigest);
    const diffId = tar.finish();
    checkDigest("layer", diffId, request.expectedDiffId);
    const isBuildable = request.lowers !== undefined || !tree.hasImpliedDirectories();
    const build = { tar: tarPath, output: request.output, form: request.form, lowers: request.lowers ?? [] };
    return {
      digest,
      compressedBytes: source.sizeBytes,
      diffId,
      sizeBytes: tar.sizeBytes,
      built: isBuildable ? buildFromTree(tree, build) : null,
    };
  } finally {
    source.close();
    tar.close();
  }
}

function checkDigest(what: string, actual: Digest, expected: Digest | undefined): void {
  if (expected !== undefined && expected !== actual)
    throw new EngineError("invalid", `${what} has digest ${actual}, but ${expected} was expected`);
}

/** A range of a file, hashed as it is read. */
class SourceFile {
  readonly compression: ReturnType<typeof detectCompression>;
  readonly #file: number;
  readonly #hasher = new Bun.CryptoHasher("sha256");
  readonly #start: number;
  readonly #end: number;
  #position: number;

  constructor(request: IngestRequest) {
    this.#file = openSync(request.source, constants.O_RDONLY);
    this.#start = this.#position = request.offset;
    this.#end = request.sizeBytes === undefined ? Number.MAX_SAFE_INTEGER : request.offset + request.sizeBytes;
    const start = Buffer.alloc(Math.min(4, this.#end - this.#start));
    readSync(this.#file, start, 0, start.length, this.#start);
    this.compression = detectCompression(start);
  }

  get sizeBytes(): number {
    return this.#position - this.#start;
  }

  /** Each chunk has memory of its own: the decompressor keeps it for a while. */
  *chunks(): Generator<Uint8Array<ArrayBuffer>> {
    while (this.#position < this.#end) {
      const chunk = Buffer.allocUnsafe(Math.min(readBytes, this.#end - this.#position));
      const length = readSync(this.#file, chunk, 0, chunk.length, this.#position);
      if (length === 0) {
        if (this.#end === Number.MAX_SAFE_INTEGER) return;
        throw new EngineError("invalid", "unexpected end of the layer's file");
      }
      this.#position += length;
      const piece = chunk.subarray(0, length);
      this.#hasher.update(piece);
      yield piece;
    }
  }

  digest(): Digest {
    return parseDigest(`sha256:${this.#hasher.digest("hex")}`);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** The uncompressed archive: hashed, stored and read at once. */
class TarFile {
  readonly #file: number;
  readonly #hasher = new Bun.CryptoHasher("sha256");
  readonly #reader: TarReader;

  constructor(path: string, tree: LayerTree) {
    this.#file = openSync(path, "wx", 0o600);
    this.#reader = new TarReader(tree);
  }

  get sizeBytes(): number {
    return this.#reader.offset;
  }

  push(piece: Uint8Array): void {
    this.#hasher.update(piece);
    for (let written = 0; written < piece.length;) written += writeSync(this.#file, piece, written);
    this.#reader.push(piece);
  }

  /** The file is on disk, filled up to whole blocks so that it can be mounted; the size told is that of the archive. */
  finish(): Digest {
    this.#reader.finish();
    ftruncateSync(this.#file, this.sizeBytes + paddingBytes(this.sizeBytes));
    fdatasyncSync(this.#file);
    return parseDigest(`sha256:${this.#hasher.digest("hex")}`);
  }

  close(): void {
    closeSync(this.#file);
  }
}
