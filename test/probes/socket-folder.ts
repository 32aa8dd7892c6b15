import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A folder of its own for a probe's sockets, removed at the end of the scope. */
export function socketFolder(): { readonly path: (name: string) => string; [Symbol.dispose](): void } {
  const folder = mkdtempSync(join(tmpdir(), "gantry-probe-"));
  return { path: (name) => join(folder, name), [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}

/** Waits until `condition` holds; fails after `limitMilliseconds` with what was waited for. */
export async function until(what: string, condition: () => boolean, limitMilliseconds = 4000): Promise<void> {
  const deadline = performance.now() + limitMilliseconds;
  while (!condition()) {
    if (performance.now() > deadline) throw new Error(`not in ${limitMilliseconds} ms: ${what}`);
    await Bun.sleep(5);
  }
}
