import { afterAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { removeTree } from "./remove-tree.ts";

const root = mkdtempSync(join(tmpdir(), "gantry-remove-tree-"));
afterAll(() => {
  remover.terminate();
  rmSync(root, { recursive: true, force: true });
});

/** Removes files on a thread of its own, as fast as it can. */
const remover = new Worker(
  URL.createObjectURL(
    new Blob([
      `import { unlinkSync } from "node:fs";
       onmessage = ({ data }) => {
         for (const file of data) try { unlinkSync(file); } catch {}
         postMessage("done");
       };`,
    ]),
  ),
);

test("a folder goes as a whole while somebody else removes some of its files", async () => {
  const left: string[] = [];
  for (let round = 0; round < 100; round++) {
    const folder = join(root, `${round}`);
    mkdirSync(join(folder, "inner"), { recursive: true });
    const files = Array.from({ length: 12 }, (_, index) => join(folder, `f${index}`));
    for (const file of files) writeFileSync(file, "x");
    const done = new Promise((resolve) => (remover.onmessage = resolve));
    remover.postMessage(files.filter((_, index) => index % 3 === 0));
    removeTree(folder);
    if (existsSync(folder)) left.push(folder);
    await done;
  }
  expect(left).toEqual([]);
});

test("a folder that is not there is no error", () => {
  expect(() => removeTree(join(root, "missing"))).not.toThrow();
});
