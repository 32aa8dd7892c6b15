import { expect, test } from "bun:test";
import { linkSync, mkdirSync, mkdtempSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { allocatedBytes, treeUsage } from "./tree-usage.ts";

test("holes take nothing, a file with two names counts once, and a folder for what is left out takes nothing when that is asked", async () => {
  const root = mkdtempSync(join(tmpdir(), "gantry-usage-"));
  try {
    writeFileSync(join(root, "file"), Buffer.alloc(10_000, 1));
    linkSync(join(root, "file"), join(root, "again"));
    writeFileSync(join(root, "sparse"), "x");
    truncateSync(join(root, "sparse"), 1 << 24);
    mkdirSync(join(root, "etc"));
    writeFileSync(join(root, "etc/mtab"), "");
    const usage = await treeUsage(root, { isLeftOut: (path) => path === "/etc/mtab", skipsEmptyFolders: true });
    const taken = (await allocatedBytes(join(root, "file"))) + (await allocatedBytes(join(root, "sparse")));
    expect(usage).toEqual({ sizeBytes: 10_000 + (1 << 24), allocatedBytes: taken, inodes: 3 });
    expect((await treeUsage(root)).allocatedBytes).toBe(taken + (await allocatedBytes(join(root, "etc"))));
    expect(await treeUsage(join(root, "missing"))).toEqual({ sizeBytes: 0, allocatedBytes: 0, inodes: 0 });
  } finally {
    rmSync(root, { recursive: true });
  }
});
