import { closeSync, openSync, readSync } from "node:fs";
import type { TarReader } from "#lib/tar/reader.ts";

/** Reads an archive to its end. Blocking: for a process of its own. */
export function pushFile(path: string, reader: TarReader): void {
  const descriptor = openSync(path, "r");
  const buffer = Buffer.allocUnsafe(1 << 20);
  try {
    for (let length = readSync(descriptor, buffer); length > 0; length = readSync(descriptor, buffer))
      reader.push(buffer.subarray(0, length));
    reader.finish();
  } finally {
    closeSync(descriptor);
  }
}
