import { chmodSync, mkdirSync } from "node:fs";
import { join } from "node:path";

/**
 * Options of mmdebstrap that have apt find the packages of the last time, and keep those of this one. apt takes what has the name and size that
 * its signed lists tell, as from its own cache: nobody else may write there.
 */
export function cacheHooks(folder: string): string[] {
  mkdirSync(folder, { recursive: true });
  chmodSync(folder, 0o700);
  return [
    "--skip=download/empty",
    "--skip=essential/unlink",
    `--setup-hook=mkdir -p "$1/var/cache/apt/archives"`,
    `--setup-hook=sync-in ${quoted(folder)} /var/cache/apt/archives/`,
    `--customize-hook=sync-out /var/cache/apt/archives ${quoted(folder)}`,
    `--customize-hook=rm -rf ${quoted(join(folder, "partial"))} ${quoted(join(folder, "lock"))}`,
  ];
}

const quoted = (path: string): string => `'${path.replaceAll("'", `'\\''`)}'`;
