import { posix } from "node:path";
import type { BigIntStats } from "node:fs";
import type { TarTime } from "#lib/tar/entry.ts";
import type { PathHandle } from "#os/path-handle.ts";
import { modifiedOf } from "#lib/tar/stat-head.ts";
import { goFileMode } from "./go-file-mode.ts";
import { resolvePath, toText } from "./path.ts";
import type { PathStat } from "./protocol.ts";

/** What the API tells of a path. @param path  a byte string */
export function describePath(root: number, path: string, handle: PathHandle): PathStat {
  const stat: BigIntStats = handle.stat();
  return {
    name: toText(posix.basename(path) || "/"),
    size: Number(stat.size),
    mode: goFileMode(stat),
    mtime: timeText(modifiedOf(stat)),
    linkTarget: stat.isSymbolicLink() ? toText(resolvePath(root, path, "keep")) : "",
  };
}

/** Others may set any time on a file of theirs; the API's format has years of four digits. */
function timeText({ seconds, nanoseconds }: TarTime): string {
  const within = Math.min(Math.max(seconds, firstSecond), lastSecond);
  const fraction = nanoseconds === 0 ? "" : `.${String(nanoseconds).padStart(9, "0").replace(/0+$/, "")}`;
  return `${new Date(within * 1000).toISOString().slice(0, 19)}${fraction}Z`;
}

const firstSecond = Date.parse("0001-01-01T00:00:00Z") / 1000;
const lastSecond = Date.UTC(9999, 11, 31, 23, 59, 59) / 1000;
