import { closeSync, constants, fdatasyncSync, ftruncateSync, openSync, readSync, statSync, writeSync } from "node:fs";
import { join } from "node:path";
import { parseDigest, type Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import { paddingBytes } from "#lib/tar/encode.ts";
import { TarReader } from "#lib/tar/reader.ts";
import { buildFromTree } from "./build.ts";
import { checkDigest } from "./check-digest.ts";
import { decompress, detectCompression } from "./decompress.ts";
import type { IngestedLayer, IngestRequest } from "./helper-protocol.ts";
import { LayerTree } from "./layer-tree.ts";

const readBytes = 1 << 18;
/** Directories of a layer that are looked up in those below rather than to build it when they are known. */
const maximumAssumptions = 1000;

/**
 * Takes in a layer's blob in one pass: hash of the compressed bytes, decompression, hash of the tar, the tar itself on disk, and the tree from
 * which the layer is built. Blocks: for helper processes. What it wrote before an error is the caller's to remove.
 * @throws {EngineError} `invalid` for a wrong digest or a damaged stream; {TarError} for a bad archive
 */
export async function ingestLayer(request: IngestRequest): Promise<IngestedLayer> {
  const source = new SourceFile(request);
  const tree = new LayerTree();
  const tarPath = join(request.output, "tar");
  const isInPlace = source.compression === "none" && isMovable(request);
  const tar = isInPlace ? new GivenTar(request.source, tree) : new CopiedTar(tarPath, tree);
  try {
    await decompress(source.compression, source.chunks(), (piece) => tar.push(piece));
    const blobDigest = source.digest();
    if (blobDigest !== undefined) checkDigest("layer blob", blobDigest, request.expectedDigest);
    const diffId = tar.finish();
    const digest = blobDigest ?? diffId;
    if (blobDigest === undefined) checkDigest("layer blob", digest, request.expectedDigest);
    checkDigest("layer", diffId, request.expectedDiffId);
    const newDirectories = request.lowers === undefined && tree.needsLowers() ? tree.impliedOnly() : [];
    const isPartial = request.form === "whole" && request.lowers === undefined;
    const isBuildable = !isPartial && newDirectories !== undefined && newDirectories.length <= maximumAssumptions;
    const build = { tar: isInPlace ? request.source : tarPath, output: request.output, form: request.form, lowers: request.lowers ?? [] };
    return {
      digest,
      compressedBytes: source.sizeBytes,
      diffId,
      sizeBytes: tar.sizeBytes,
      isInPlace,
      built: isBuildable ? buildFromTree(tree, build) : null,
      ...(isBuildable && newDirectories.length > 0 && { newDirectories }),
    };
  } finally {
    source.close();
    tar.close();
  }
}

/** The whole of a file that is given away, on the file system of the layers. */
function isMovable({ source, offset, sizeBytes, isGiven, output }: IngestRequest): boolean {
  return isGiven === true && offset === 0 && sizeBytes === undefined && statSync(source).dev === statSync(output).dev;
}

/** A range of a file; what is compressed is hashed as it is read. */
class SourceFile {
  readonly compression: ReturnType<typeof detectCompression>;
  readonly #file: number;
  /** A plain archive is hashed by who takes it. */
  readonly #hasher: Bun.CryptoHasher | undefined;
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
    this.#hasher = this.compression === "none" ? undefined : new Bun.CryptoHasher("sha256");
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
      this.#hasher?.update(piece);
      yield piece;
    }
  }

  /** Of what is compressed. */
  digest(): Digest | undefined {
    return this.#hasher && parseDigest(`sha256:${this.#hasher.digest("hex")}`);
  }

  close(): void {
    closeSync(this.#file);
  }
}

/** The uncompressed archive: hashed and read at once. */
abstract class TarFile {
  protected readonly file: number;
  readonly #hasher = new Bun.CryptoHasher("sha256");
  readonly #reader: TarReader;

  constructor(file: number, tree: LayerTree) {
    this.file = file;
    this.#reader = new TarReader(tree);
  }

  protected abstract store(piece: Uint8Array): void;

  get sizeBytes(): number {
    return this.#reader.offset;
  }

  push(piece: Uint8Array): void {
    this.#hasher.update(piece);
    this.store(piece);
    this.#reader.push(piece);
  }

  /** The file is on disk, filled up to whole blocks so that it can be mounted; the size told is that of the archive. */
  finish(): Digest {
    this.#reader.finish();
    ftruncateSync(this.file, this.sizeBytes + paddingBytes(this.sizeBytes));
    fdatasyncSync(this.file);
    return parseDigest(`sha256:${this.#hasher.digest("hex")}`);
  }

  close(): void {
    closeSync(this.file);
  }
}

/** Written as it is read. */
class CopiedTar extends TarFile {
  constructor(path: string, tree: LayerTree) {
    super(openSync(path, "wx", 0o600), tree);
  }

  protected store(piece: Uint8Array): void {
    for (let written = 0; written < piece.length;) written += writeSync(this.file, piece, written);
  }
}

/** In its place already. */
class GivenTar extends TarFile {
  constructor(path: string, tree: LayerTree) {
    super(openSync(path, constants.O_RDWR), tree);
  }

  protected store(): void {
    // it is there
  }
}
