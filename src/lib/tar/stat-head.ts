import type { BigIntStats } from "node:fs";
import type { TarEntryHead } from "./encode.ts";
import type { TarTime } from "./entry.ts";

/** The head of an entry for what lies on a disk: that of an empty file, as which every other type begins. */
export function headOfStat(stat: BigIntStats, path: string): TarEntryHead {
  return {
    type: "file",
    path,
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    modified: modifiedOf(stat),
    sizeBytes: 0,
  };
}

/** The same with its time in whole seconds, as Docker's copies have it. */
export function headInSeconds(stat: BigIntStats, path: string): TarEntryHead {
  const head = headOfStat(stat, path);
  return { ...head, modified: { ...head.modified, nanoseconds: 0 } };
}

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
