import type { SparseSegment, TarEntry, TarHandler } from "./entry.ts";
import { TarError } from "./error.ts";
import { blockBytes, isZeroBlock, number, text, verifyChecksum } from "./fields.ts";
import { parseHeader, typeFlag, type ParsedHeader } from "./header.ts";
import { emptyPax, parsePax } from "./pax.ts";
import { maximumSegments, oldGnuSegments, paxRealSize, paxSegments, SparseMapReader, sparseKind, validateSegments } from "./sparse.ts";

/** All extended headers of one entry together; Go's archive/tar allows as much for each. */
const maximumExtensionBytes = 1 << 20;

/**
 * What the bytes at hand are. `header`, `sparse-header` and `sparse-map` are read in whole blocks, the others in pieces as they come.
 */
type State = "header" | "extension" | "sparse-header" | "sparse-map" | "data" | "padding" | "end";

/**
 * Reads an archive pushed in pieces of any size: USTAR, PAX, GNU (long names and links, base-256, all four kinds of sparse files), star,
 * and what came before them. Strict, for hostile input: memory is bounded by one entry's extended headers and sparse map, and every fault is
 * a {@link TarError}. Global PAX headers are not applied, as in Docker.
 * Source: POSIX pax; GNU tar manual, "Tar Internals".
 */
export class TarReader {
  readonly #handler: TarHandler;
  #state: State = "header";
  readonly #block = Buffer.alloc(blockBytes);
  #filled = 0;
  /** Bytes of data or extension still to come, and the padding behind them. */
  #remaining = 0;
  #padding = 0;
  #consumed = 0;
  #sawZeroBlock = false;

  #pax = emptyPax();
  #longName = "";
  #longLink = "";
  #extension: Buffer[] = [];
  #extensionType = "";
  #extensionBytes = 0;

  #header: ParsedHeader | undefined;
  #sizeBytes = 0;
  #segments: SparseSegment[] = [];
  #sparseMap = new SparseMapReader();
  #entry: TarEntry | undefined;

  constructor(handler: TarHandler) {
    this.#handler = handler;
  }

  /** Bytes read so far. */
  get offset(): number {
    return this.#consumed;
  }

  /** @throws {TarError} and what the handler throws; the reader is of no use afterwards */
  push(chunk: Uint8Array): void {
    for (let start = 0; start < chunk.length;) {
      const taken = this.#take(chunk, start);
      start += taken;
    }
  }

  /** The archive's end has been reached. @throws {TarError} when it came too early */
  finish(): void {
    // A last entry whose padding is missing is complete: some archivers cut it off.
    const isComplete = this.#filled === 0 && (this.#state === "header" || this.#state === "end" || this.#state === "padding");
    if (!isComplete) throw new TarError("unexpected end of archive", this.#consumed);
    if (this.#hasExtension()) throw new TarError("extended header without an entry", this.#consumed);
  }

  #take(chunk: Uint8Array, start: number): number {
    const available = chunk.length - start;
    switch (this.#state) {
      case "end": // padding up to the archiver's record size: counted, not looked at
        this.#consumed += available;
        return available;
      case "padding":
        return this.#takePadding(Math.min(this.#padding, available));
      case "extension":
      case "data":
        return this.#takeBytes(chunk, start, Math.min(this.#remaining, available));
      case "header":
      case "sparse-header":
      case "sparse-map":
        return this.#takeBlock(chunk, start, available);
    }
  }

  #takePadding(count: number): number {
    this.#consumed += count;
    this.#padding -= count;
    if (this.#padding === 0) this.#state = "header";
    return count;
  }

  #takeBytes(chunk: Uint8Array, start: number, count: number): number {
    const piece = chunk.subarray(start, start + count);
    this.#consumed += count;
    this.#remaining -= count;
    if (this.#state === "extension")
      this.#extension.push(Buffer.from(piece)); // a copy: the chunk's memory is its owner's
    else this.#handler.data?.(piece);
    if (this.#remaining === 0) this.#endBytes();
    return count;
  }

  #endBytes(): void {
    const wasData = this.#state === "data";
    this.#state = this.#padding > 0 ? "padding" : "header";
    if (wasData) this.#endEntry();
    else this.#applyExtension();
  }

  #takeBlock(chunk: Uint8Array, start: number, available: number): number {
    const count = Math.min(blockBytes - this.#filled, available);
    if (count === blockBytes) {
      this.#consumed += count;
      this.#acceptBlock(Buffer.from(chunk.buffer, chunk.byteOffset + start, blockBytes));
      return count;
    }
    this.#block.set(chunk.subarray(start, start + count), this.#filled);
    this.#filled += count;
    this.#consumed += count;
    if (this.#filled === blockBytes) {
      this.#filled = 0;
      this.#acceptBlock(this.#block);
    }
    return count;
  }

  #acceptBlock(block: Buffer): void {
    const at = this.#consumed - blockBytes;
    if (this.#state === "header") this.#acceptHeader(block, at);
    else if (this.#state === "sparse-header") this.#acceptSparseHeader(block, at);
    else this.#acceptSparseMap(block, at);
  }

  #acceptHeader(block: Buffer, at: number): void {
    if (isZeroBlock(block)) {
      if (this.#sawZeroBlock) this.#state = "end";
      if (this.#sawZeroBlock && this.#hasExtension()) throw new TarError("extended header without an entry", at);
      this.#sawZeroBlock = true;
      return;
    }
    if (this.#sawZeroBlock) throw new TarError("entry after a lone zero block", at);
    verifyChecksum(block, at);
    const flag = typeFlag(block);
    if (flag === "x" || flag === "g" || flag === "L" || flag === "K") this.#beginExtension(flag, number(block, 124, 12, "size", at), at);
    else this.#beginEntry(block, flag, at);
  }

  #beginExtension(flag: string, sizeBytes: number, at: number): void {
    this.#extensionBytes += sizeBytes;
    if (sizeBytes < 0 || this.#extensionBytes > maximumExtensionBytes) throw new TarError("extended header is too large", at);
    this.#extensionType = flag;
    this.#extension = [];
    this.#expect("extension", sizeBytes);
    if (sizeBytes === 0) this.#applyExtension();
  }

  #applyExtension(): void {
    const body = Buffer.concat(this.#extension);
    this.#extension = [];
    if (this.#extensionType === "x") parsePax(body, this.#pax, this.#consumed - body.length);
    else if (this.#extensionType === "L") this.#longName = text(body, 0, body.length);
    else if (this.#extensionType === "K") this.#longLink = text(body, 0, body.length);
  }

  #hasExtension(): boolean {
    return this.#pax.values.size > 0 || this.#pax.sparsePairs.length > 0 || this.#longName !== "" || this.#longLink !== "";
  }

  #beginEntry(block: Buffer, flag: string, at: number): void {
    const pax = this.#pax;
    const header = parseHeader(block, pax, { name: this.#longName, link: this.#longLink }, at);
    const kind = sparseKind(flag, pax);
    this.#pax = emptyPax();
    this.#longName = this.#longLink = "";
    this.#extensionBytes = 0;
    this.#header = header;
    this.#sizeBytes = header.storedBytes;
    this.#segments = [];
    if (kind === "none" || header.type !== "file") return this.#emit(undefined, header.storedBytes, at);
    if (kind === "old-gnu") {
      this.#sizeBytes = number(block, 483, 12, "sparse size", at);
      const { segments, more } = oldGnuSegments(block, true, at);
      this.#segments = segments;
      if (more) this.#state = "sparse-header";
      else this.#emit(segments, header.storedBytes, at);
      return;
    }
    this.#sizeBytes = paxRealSize(pax, at);
    if (kind === "pax-0") return this.#emit(paxSegments(pax, at), header.storedBytes, at);
    this.#sparseMap = new SparseMapReader();
    this.#remaining = header.storedBytes;
    this.#state = "sparse-map";
  }

  #acceptSparseHeader(block: Buffer, at: number): void {
    const { segments, more } = oldGnuSegments(block, false, at);
    this.#segments.push(...segments);
    // A block without segments would let a chain of blocks go on for ever.
    const isEndless = more && segments.length === 0;
    if (isEndless || this.#segments.length > maximumSegments) throw new TarError("bad sparse map", at);
    if (!more) this.#emit(this.#segments, this.#header?.storedBytes ?? 0, at);
  }

  #acceptSparseMap(block: Buffer, at: number): void {
    this.#remaining -= blockBytes;
    if (this.#remaining < 0) throw new TarError("bad sparse map", at);
    if (this.#sparseMap.push(block, at)) this.#emit(this.#sparseMap.segments(), this.#remaining, at);
  }

  #emit(segments: SparseSegment[] | undefined, storedBytes: number, at: number): void {
    const header = this.#header;
    if (!header) return;
    if (segments) validateSegments(segments, this.#sizeBytes, storedBytes, at);
    const entry: TarEntry = { ...header, sizeBytes: this.#sizeBytes, storedBytes, dataOffset: this.#consumed, segments };
    this.#entry = entry;
    this.#expect("data", storedBytes);
    this.#handler.entry(entry);
    if (storedBytes === 0) this.#endEntry();
  }

  #endEntry(): void {
    const entry = this.#entry;
    this.#entry = this.#header = undefined;
    if (entry) this.#handler.end?.(entry);
  }

  #expect(state: "data" | "extension", sizeBytes: number): void {
    this.#remaining = sizeBytes;
    this.#padding = (blockBytes - (sizeBytes % blockBytes)) % blockBytes;
    this.#state = sizeBytes > 0 ? state : "header";
  }
}
