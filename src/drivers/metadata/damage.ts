import { closeSync, existsSync, openSync, readSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

/** First four bytes of a write-ahead log, for both orders of bytes. Source: sqlite.org/fileformat2.html, "The Write-Ahead Log". */
const logMagics = [0x377f0682, 0x377f0683];

/**
 * What SQLite would take for a new database, or for one without its last changes: everything that stands beside it would then have no
 * record and be removed.
 * @throws Error saying what is wrong and what to do
 */
export function refuseDamage(path: string): void {
  const sizeBytes = statSync(path, { throwIfNoEntry: false })?.size ?? 0;
  // The content store is made after the database.
  if (sizeBytes === 0 && existsSync(join(dirname(path), "content")))
    throw new Error(
      `it is ${existsSync(path) ? "empty" : "missing"}, but the data root has been used before: bring it back from a backup, or begin with another data root`,
    );
  const log = `${path}-wal`;
  const magic = firstNumber(log);
  if (magic !== undefined && !logMagics.includes(magic))
    throw new Error(`the changes in ${log} cannot be read: bring it back from a backup, or remove it to go on without them`);
}

/** Undefined when the file is missing or shorter than a number: then it holds no changes. */
function firstNumber(path: string): number | undefined {
  if (!existsSync(path)) return undefined;
  const bytes = Buffer.alloc(4);
  const descriptor = openSync(path, "r");
  const length = readSync(descriptor, bytes, 0, 4, 0);
  closeSync(descriptor);
  return length === 4 ? bytes.readUInt32BE(0) : undefined;
}
