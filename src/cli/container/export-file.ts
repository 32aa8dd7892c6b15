import { rmSync, statSync } from "node:fs";
import { open, rename } from "node:fs/promises";
import { posix } from "node:path";
import { ExitError } from "../errors.ts";

/** @param what  what could not be done with a bad path @throws {ExitError} with Docker's texts */
export function checkExportPath(path: string, what = "failed to export container"): void {
  const folder = posix.dirname(path);
  const fail = (reason: string): ExitError => new ExitError(1, `${what}: ${reason}`);
  const holder = statSync(folder, { throwIfNoEntry: false });
  if (!holder) throw fail(`invalid output path: stat ${folder}: no such file or directory`);
  if (!holder.isDirectory()) throw fail(`invalid output path: stat ${folder}: not a directory`);
  const existing = statSync(path, { throwIfNoEntry: false });
  if (existing?.isDirectory()) throw fail("cannot write to a directory");
  if (existing?.isCharacterDevice()) throw fail("cannot write to a character device file");
  if (existing && !existing.isFile()) throw fail("cannot write to what is no regular file");
}

/** The file appears under its name when it is whole. */
export async function writeToFile(path: string, chunks: AsyncIterable<Uint8Array>): Promise<void> {
  const temporary = posix.join(posix.dirname(path), `.tmp-${posix.basename(path)}${process.pid}`);
  const file = await open(temporary, "wx", 0o600);
  try {
    for await (const chunk of chunks) await file.writeFile(chunk);
    await file.close();
    await rename(temporary, path);
  } catch (error) {
    await file.close();
    rmSync(temporary, { force: true });
    throw error;
  }
}
