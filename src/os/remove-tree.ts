import { existsSync, rmSync } from "node:fs";

const maximumAttempts = 100;

/**
 * Removes a folder with all it holds; success when there is none. Others may remove entries at the same time, as conmon does at its end:
 * `rm` of Bun 1.4 with `force` takes an entry that vanishes for the end of the work and leaves the rest without a word, so it is called until
 * the folder is gone.
 * @throws ErrnoException when something cannot be removed
 */
export function removeTree(path: string): void {
  for (let attempt = 1; ; attempt++) {
    try {
      rmSync(path, { recursive: true, force: true });
      if (!existsSync(path)) return;
    } catch (error) {
      // Somebody has put something into it meanwhile.
      if ((error as NodeJS.ErrnoException).code !== "ENOTEMPTY" || attempt === maximumAttempts) throw error;
    }
    if (attempt === maximumAttempts) throw new Error(`${path} cannot be removed: it is being filled`);
  }
}
