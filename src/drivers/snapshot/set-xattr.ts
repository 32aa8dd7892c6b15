import type { ConfinedDirectory } from "#os/confined.ts";

/** What the file system has no place for (user attributes of a link or device; any where it knows none) is left out, as Docker does. */
export function setXattrIfKept(directory: ConfinedDirectory, name: string, key: string, value: Buffer): void {
  try {
    directory.setXattr(name, key, value);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOTSUP" && code !== "EOPNOTSUPP" && code !== "EPERM") throw error;
  }
}
