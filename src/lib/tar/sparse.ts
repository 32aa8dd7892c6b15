import type { SparseSegment } from "./entry.ts";
import { TarError } from "./error.ts";
import { number } from "./fields.ts";
import { paxInteger, type PaxRecords } from "./pax.ts";

/** Bound of the memory for one file's map; GNU tar writes one segment for each run of data. */
export const maximumSegments = 1 << 18;

/** How an entry says that it is sparse. Source: GNU tar manual, "Storing Sparse Files". */
export type SparseKind = "none" | "old-gnu" | "pax-0" | "pax-1";

export function sparseKind(typeFlag: string, pax: PaxRecords): SparseKind {
  if (typeFlag === "S") return "old-gnu";
  if (pax.values.get("GNU.sparse.major") === "1" && pax.values.get("GNU.sparse.minor") === "0") return "pax-1";
  const isVersion0 = pax.values.has("GNU.sparse.numblocks") || pax.values.has("GNU.sparse.map") || pax.sparsePairs.length > 0;
  if (isVersion0) return "pax-0";
  return "none";
}

/** Map of formats 0.0 (repeated pairs) and 0.1 (one list with commas). */
export function paxSegments(pax: PaxRecords, at: number): SparseSegment[] {
  const list = pax.values.get("GNU.sparse.map");
  if (list === undefined) return pax.sparsePairs;
  if (list === "") return [];
  const numbers = list.split(",").map((word) => paxInteger(word, "sparse map", at));
  if (numbers.length % 2 !== 0) throw new TarError("bad sparse map", at);
  return pairs(numbers);
}

/** Size of the file with its holes, as the extended header tells. */
export function paxRealSize(pax: PaxRecords, at: number): number {
  const value = pax.values.get("GNU.sparse.realsize") ?? pax.values.get("GNU.sparse.size");
  if (value === undefined) throw new TarError("sparse file without a size", at);
  return paxInteger(value, "sparse size", at);
}

/** Segments in a header of the old format (4 at 386) or its extension block (21 at 0), and whether one more block follows. */
export function oldGnuSegments(block: Buffer, isHeader: boolean, at: number): { segments: SparseSegment[]; more: boolean } {
  const [start, count, moreAt] = isHeader ? [386, 4, 482] : [0, 21, 504];
  const segments: SparseSegment[] = [];
  for (let index = 0; index < count; index++) {
    const offset = start + index * 24;
    if (block[offset] === 0) break; // an unused slot
    segments.push({
      offset: number(block, offset, 12, "sparse offset", at),
      sizeBytes: number(block, offset + 12, 12, "sparse length", at),
    });
  }
  return { segments, more: block[moreAt] !== 0 };
}

/** Reads the decimal map at the beginning of the data of format 1.0, block by block. */
export class SparseMapReader {
  readonly #numbers: number[] = [];
  #word = "";
  #wanted = 1; // the count of segments comes first

  /** True when the map is complete; the rest of this block is padding. */
  push(block: Buffer, at: number): boolean {
    for (const byte of block) {
      if (this.#numbers.length === this.#wanted) return true;
      if (byte !== 0x0a) {
        this.#word += String.fromCharCode(byte);
        if (this.#word.length > 19) throw new TarError("bad sparse map", at);
        continue;
      }
      this.#numbers.push(paxInteger(this.#word, "sparse map", at));
      this.#word = "";
      if (this.#numbers.length === 1) this.#wanted = this.#expectedNumbers(at);
    }
    return this.#numbers.length === this.#wanted;
  }

  segments(): SparseSegment[] {
    return pairs(this.#numbers.slice(1));
  }

  #expectedNumbers(at: number): number {
    const count = this.#numbers[0] ?? -1;
    if (count < 0 || count > maximumSegments) throw new TarError("sparse map is too long", at);
    return 1 + 2 * count;
  }
}

/** Segments must go forwards without touching each other's bytes, lie in the file, and use all stored bytes. */
export function validateSegments(segments: readonly SparseSegment[], sizeBytes: number, storedBytes: number, at: number): void {
  if (segments.length > maximumSegments) throw new TarError("sparse map is too long", at);
  let end = 0;
  let stored = 0;
  for (const { offset, sizeBytes: length } of segments) {
    if (offset < end || length < 0 || offset + length > sizeBytes) throw new TarError("bad sparse map", at);
    end = offset + length;
    stored += length;
  }
  if (!Number.isSafeInteger(sizeBytes) || stored !== storedBytes) throw new TarError("bad sparse map", at);
}

function pairs(numbers: readonly number[]): SparseSegment[] {
  const segments: SparseSegment[] = [];
  for (let index = 0; index + 1 < numbers.length; index += 2)
    segments.push({ offset: numbers[index] ?? 0, sizeBytes: numbers[index + 1] ?? 0 });
  return segments;
}
