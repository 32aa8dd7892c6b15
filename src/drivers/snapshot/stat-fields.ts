import type { BigIntStats } from "node:fs";

/** An overlay whiteout: character device 0:0. */
export function isWhiteout(stat: BigIntStats): boolean {
  return stat.isCharacterDevice() && stat.rdev === 0n;
}
