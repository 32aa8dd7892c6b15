import { existsSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/**
 * What SQLite would take for a new database: everything that stands beside it would then have no record and be removed.
 * @throws Error saying what is wrong and what to do
 */
export function refuseEmptied(path: string): void {
  const sizeBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  // The content store is made after the database.
  if (sizeBytes > 0 || !existsSync(join(dirname(path), "content"))) return;
  const state = existsSync(path) ? "empty" : "missing";
  throw new Error(`it is ${state}, but the data root has been used before: bring it back from a backup, or begin with another data root`);
}
