import { rmdir } from "node:fs/promises";

/** rmdir and nothing stronger: what is mounted there again by now must stay. */
export async function removeMountPoint(target: string): Promise<void> {
  try {
    await rmdir(target);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ENOENT" && code !== "EBUSY") throw error;
  }
}
