import { chmod, mkdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { MountOptions } from "./types.ts";

/**
 * Makes the folders of a container's merged tree. The upper's own mode is what the container sees of `/`: 0755, as in Docker, whatever the
 * umask. A work folder that was used before loses overlay's mark of a volatile mount, which would refuse the next one.
 */
export async function prepareUpper({
  upper,
  work,
  target,
  volatile,
}: Pick<MountOptions, "upper" | "work" | "target" | "volatile">): Promise<void> {
  const [isNewUpper, isNewWork] = await Promise.all([makeFolder(upper), makeFolder(work), makeFolder(target)]);
  if (isNewUpper) await chmod(upper, 0o755);
  if (!isNewWork) await forgetVolatile(upper, work, volatile);
}

/** True when it was missing. */
async function makeFolder(folder: string): Promise<boolean> {
  try {
    await mkdir(folder, { mode: 0o755 });
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (code !== "ENOENT") throw error;
    await mkdir(dirname(folder), { recursive: true });
    return makeFolder(folder);
  }
}

/**
 * After a volatile mount nothing vouches for the upper but the page cache, which is whole until the host restarts (the engine removes
 * volatile containers then). Going on without `volatile` promises more: what is cached is written first.
 */
async function forgetVolatile(upper: string, work: string, volatile: boolean): Promise<void> {
  const mark = join(work, "work", "incompat");
  const isMarked = await stat(mark).then(
    () => true,
    () => false,
  );
  if (!isMarked) return;
  if (!volatile) await Bun.spawn(["sync", "-f", upper], { stdio: ["ignore", "ignore", "ignore"] }).exited;
  await rm(mark, { recursive: true, force: true });
}
