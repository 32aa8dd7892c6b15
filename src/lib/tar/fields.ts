import { TarError } from "./error.ts";

export const blockBytes = 512;

/** Text up to the first NUL, as a byte string. */
export function text(block: Buffer, offset: number, length: number): string {
  const end = block.indexOf(0, offset);
  return block.toString("latin1", offset, end < 0 || end > offset + length ? offset + length : end);
}

/**
 * A numeric header field: octal digits with spaces or NULs around, or base-256 in two's complement when the first bit is set.
 * Source: POSIX pax, "ustar Interchange Format"; GNU tar manual, "Extensions".
 * @param at position of the block in the archive, for the error
 */
export function number(block: Buffer, offset: number, length: number, field: string, at: number): number {
  return (block[offset] ?? 0) & 0x80 ? base256(block, offset, length, field, at) : octal(block, offset, length, field, at);
}

function base256(block: Buffer, offset: number, length: number, field: string, at: number): number {
  const negative = ((block[offset] ?? 0) & 0x40) !== 0;
  let value = 0;
  for (let index = offset; index < offset + length; index++) {
    const byte = (block[index] ?? 0) & (index === offset ? 0x7f : 0xff);
    // Of a negative number the complement is read, so that the sum stays exact.
    value = value * 256 + (negative ? byte ^ (index === offset ? 0x7f : 0xff) : byte);
  }
  if (negative) value = -value - 1;
  if (!Number.isSafeInteger(value)) throw new TarError(`${field} is too large`, at);
  return value;
}

function octal(block: Buffer, offset: number, length: number, field: string, at: number): number {
  const end = offset + length;
  const isBlank = (byte: number | undefined): boolean => byte === 0x20 || byte === 0;
  let index = offset;
  while (index < end && isBlank(block[index])) index++;
  let value = 0;
  for (; index < end; index++) {
    const digit = (block[index] ?? 0) - 0x30;
    if (digit < 0 || digit > 7) break;
    value = value * 8 + digit;
  }
  for (; index < end; index++) if (!isBlank(block[index])) throw new TarError(`${field} is not a number`, at);
  return value;
}

/** True for a block of zeros: two of them end an archive. */
export function isZeroBlock(block: Buffer): boolean {
  for (let index = 0; index < blockBytes; index++) if (block[index] !== 0) return false;
  return true;
}

/** The header's checksum must be the sum of its bytes, unsigned, or signed as some old archivers wrote it. */
export function verifyChecksum(block: Buffer, at: number): void {
  let unsigned = 0;
  let negative = 0;
  for (let index = 0; index < blockBytes; index++) {
    const byte = index >= 148 && index < 156 ? 0x20 : (block[index] ?? 0);
    unsigned += byte;
    if (byte > 127) negative += 256;
  }
  const wanted = number(block, 148, 8, "checksum", at);
  if (wanted !== unsigned && wanted !== unsigned - negative) throw new TarError("bad header checksum", at);
}
