import type { BigIntStats } from "node:fs";
import type { TarTime } from "#lib/tar/entry.ts";

/** Modification time with its nanoseconds counted forwards, also before 1970. */
export function modifiedOf(stat: BigIntStats): TarTime {
  const nanoseconds = ((stat.mtimeNs % 1_000_000_000n) + 1_000_000_000n) % 1_000_000_000n;
  return { seconds: Number((stat.mtimeNs - nanoseconds) / 1_000_000_000n), nanoseconds: Number(nanoseconds) };
}

/** Major and minor number of a dev_t. Source: makedev(3) of the GNU C library. */
export function deviceOf(stat: BigIntStats): { readonly major: number; readonly minor: number } {
  const device = stat.rdev;
  return {
    major: Number(((device >> 8n) & 0xfffn) | ((device >> 32n) & ~0xfffn)),
    minor: Number((device & 0xffn) | ((device >> 12n) & ~0xffn)),
  };
}

/** An overlay whiteout: character device 0:0. */
export function isWhiteout(stat: BigIntStats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0n;
}
