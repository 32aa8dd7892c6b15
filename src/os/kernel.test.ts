import { expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Kernel } from "./kernel.ts";

test("the kernel worker removes a tree, and one that is gone is a success", async () => {
  const kernel = new Kernel();
  const folder = mkdtempSync(join(tmpdir(), "gantry-kernel-"));
  mkdirSync(join(folder, "a/b"), { recursive: true });
  writeFileSync(join(folder, "a/b/c"), "x");
  await kernel.run({ type: "remove-tree", path: folder });
  await kernel.run({ type: "remove-tree", path: folder });
  expect(existsSync(folder)).toBe(false);
  await kernel.close();
});

test("a task that fails tells the errno's name", async () => {
  const kernel = new Kernel();
  const failure = kernel.run({ type: "bind-mount", source: "/does/not/exist", target: "/does/not/exist", readOnly: true });
  await expect(failure).rejects.toMatchObject({ code: "ENOENT" });
  await kernel.close();
});
