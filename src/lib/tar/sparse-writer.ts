import type { SparseSegment, TarEntry } from "./entry.ts";

type WriteAt = (descriptor: number, bytes: Uint8Array, offset: number, length: number, position: number) => number;

/** Looked at in pieces of this size: one of nothing but zeros is not written. */
const holeBytes = 64 << 10;
const zeros = Buffer.alloc(holeBytes);

/**
 * Writes the data of one entry to the places they have in a new file. Runs of zeros are left out: a sparse file that came as plain data takes no
 * more room than it did. The caller sets the size of the file at the end.
 */
export class SparseWriter {
  readonly #descriptor: number;
  readonly #segments: readonly SparseSegment[];
  readonly #write: WriteAt;
  #segment = 0;
  #written = 0;

  constructor(descriptor: number, { segments, sizeBytes }: Pick<TarEntry, "segments" | "sizeBytes">, write: WriteAt) {
    this.#descriptor = descriptor;
    this.#segments = segments ?? [{ offset: 0, sizeBytes }];
    this.#write = write;
  }

  write(chunk: Uint8Array): void {
    for (let start = 0; start < chunk.length;) {
      const segment = this.#segments[this.#segment];
      if (!segment) return; // the reader has checked that the data end where the last segment does
      const count = Math.min(chunk.length - start, segment.sizeBytes - this.#written);
      this.#put(chunk.subarray(start, start + count), segment.offset + this.#written);
      start += count;
      this.#written += count;
      if (this.#written < segment.sizeBytes) continue;
      this.#segment++;
      this.#written = 0;
    }
  }

  #put(bytes: Uint8Array, position: number): void {
    for (let start = 0; start < bytes.length;) {
      const piece = bytes.subarray(start, start + holeBytes);
      if (zeros.compare(piece, 0, piece.length, 0, piece.length) !== 0) this.#writeAll(piece, position + start);
      start += piece.length;
    }
  }

  #writeAll(bytes: Uint8Array, position: number): void {
    for (let done = 0; done < bytes.length;) done += this.#write(this.#descriptor, bytes, done, bytes.length - done, position + done);
  }
}
