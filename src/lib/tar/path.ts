import { TarError } from "./error.ts";

const longestPath = 4096; // PATH_MAX
const longestName = 255; // NAME_MAX

/**
 * Components of an archive's path, relative to the root that the archive stands for: a leading `/`, empty parts and `.` are dropped.
 * The root itself gives an empty list.
 * @throws {TarError} for `..`, NUL, and names or paths that no Linux file system takes
 */
export function splitPath(path: string, at: number): string[] {
  if (path.length > longestPath) throw new TarError("path is longer than 4096 bytes", at);
  if (path.includes("\0")) throw new TarError("path has a NUL byte", at);
  const parts = path.split("/").filter((part) => part !== "" && part !== ".");
  for (const part of parts) {
    if (part === "..") throw new TarError(`path leaves the archive: ${JSON.stringify(path)}`, at);
    if (part.length > longestName) throw new TarError("name is longer than 255 bytes", at);
  }
  return parts;
}
