import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import type { TreeRequest } from "../../../src/drivers/archive/protocol.ts";

let folder: string;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "gantry-tree-"));
  for (const name of ["containers/one/rootfs/etc", "volume/sub", "read-only"]) mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, "volume/f"), "in the volume");
  writeFileSync(join(folder, "read-only/f"), "in the read-only one");
  writeFileSync(join(folder, "hosts"), "names");
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const tree = join(import.meta.dir, "../../../src/drivers/archive/tree.ts");

/** Looks at a tree in a process of its own, as a helper would, and says what is in the place's mount table and what in the tree. */
const look = `
  const { openContainerTree, isNamespaceSpent } = await import(process.argv[1]);
  const { openInRoot } = await import(process.argv[1].replace("drivers/archive/tree", "os/open-in-root"));
  const fs = require("node:fs");
  const root = openContainerTree(JSON.parse(process.argv[2]), process.argv[3]);
  const read = (path) => { const fd = openInRoot(root, path, 0); try { return fs.readFileSync(fd, "utf8"); } finally { fs.closeSync(fd); } };
  const write = (path) => { try { fs.closeSync(openInRoot(root, path, fs.constants.O_CREAT | fs.constants.O_WRONLY, 0o600)); return "written"; } catch (error) { return error.code; } };
  console.log(JSON.stringify({
    volume: read("/v/f"), nested: read("/v/sub/f"), hosts: read("/etc/hosts"),
    writes: [write("/new"), write("/v/new"), write("/v/sub/new")], isSpent: isNamespaceSpent(),
  }));`;

test.each(["nowhere", "namespace"] as const)(
  "a tree that is attached %s shows mounts with their flags, and the host nothing of it",
  async (place) => {
    const common = { recursive: true, readOnlyRecursive: true };
    const request: TreeRequest = {
      rootfs: join(folder, "containers/one/rootfs"),
      readOnly: true,
      mounts: [
        { ...common, source: join(folder, "volume"), destination: "/v", writable: true },
        { ...common, source: join(folder, "hosts"), destination: "/etc/hosts", writable: true, optional: true },
        { ...common, source: join(folder, "missing"), destination: "/etc/hostname", writable: true, optional: true },
        { ...common, source: join(folder, "read-only"), destination: "/v/sub", writable: false },
      ],
    };
    const child = Bun.spawn([process.execPath, "-e", look, tree, JSON.stringify(request), place], { stdout: "pipe", stderr: "inherit" });
    expect(JSON.parse(await new Response(child.stdout).text())).toEqual({
      volume: "in the volume",
      nested: "in the read-only one",
      hosts: "names",
      writes: ["EROFS", "written", "EROFS"],
      isSpent: place === "namespace",
    });
    // A bind mount tells the path of its source, too. Other tests mount at the same time.
    expect(readFileSync("/proc/self/mountinfo", "latin1")).not.toContain(basename(folder));
  },
);
