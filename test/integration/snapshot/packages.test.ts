import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { join } from "node:path";
import { buildFromTree, readTree } from "#drivers/snapshot/build.ts";
import { mountFileSystem, unmount } from "#os/mount.ts";
import { describeTree } from "./describe-tree.ts";
import { fsckComplaint, fsckLack } from "./fsck.ts";
import { fetchPackages, type PackageFile } from "./packages.ts";
import { withIndexOf } from "./stored-tar.ts";

const { packages, lacks } = fetchPackages();
for (const lack of lacks) console.log(`skipped: packages of ${lack}`);
if (fsckLack !== undefined) console.log(`without fsck.erofs: ${fsckLack}`);

let folder: string;
/** For what is unpacked: nothing waits for a disk there. */
let memory: string;
beforeAll(() => {
  folder = mkdtempSync("/var/tmp/gantry-packages-");
  memory = join(folder, "memory");
  mkdirSync(memory);
  mountFileSystem("packages", memory, "tmpfs", 0, "mode=0755,nr_inodes=0");
});
afterAll(() => {
  unmount(memory);
  rmSync(folder, { recursive: true, force: true });
});

/** The archive of files in a package, as its maker has written it. */
function filesOf({ path }: PackageFile, tar: string): void {
  const output = openSync(tar, "w");
  try {
    expect(Bun.spawnSync(["dpkg-deb", "--fsys-tarfile", path], { stdio: ["ignore", output, "inherit"] }).exitCode).toBe(0);
  } finally {
    closeSync(output);
  }
}

describe.skipIf(packages.length === 0)("IMG-03: layers made of packages", () => {
  test.skipIf(lacks.length > 0)("are at least thirty, of four suites", () => {
    expect(packages.length).toBeGreaterThanOrEqual(30);
    expect(new Set(packages.map(({ suite }) => suite)).size).toBe(4);
  });

  test.each(packages.map((one) => [one.suite, one.name, one] as const))(
    "%s %s: mounted, unpacked by us and by GNU tar it is the same",
    async (_suite, _name, one) => {
      const work = mkdtempSync(join(folder, "package-"));
      const unpacked = mkdtempSync(join(memory, "package-"));
      const [tar, ours, theirs] = [join(work, "tar"), join(unpacked, "ours"), join(unpacked, "theirs")];
      filesOf(one, tar);
      for (const place of [ours, theirs]) mkdirSync(place);
      // Times of folders last: what comes later may lie in them.
      const extract = [
        "tar",
        "--delay-directory-restore",
        "--numeric-owner",
        "--same-owner",
        "--same-permissions",
        "--xattrs",
        "--xattrs-include=*",
        "-C",
        theirs,
        "-xf",
        tar,
      ];
      expect(Bun.spawnSync(extract, { stderr: "inherit" }).exitCode).toBe(0);
      buildFromTree(readTree(tar), { tar, output: ours, form: "unpacked", lowers: [] });
      await withIndexOf(tar, async ({ target, index, form }) => {
        expect(form).toBe("erofs");
        const shown = describeTree(target);
        expect(shown).toEqual(describeTree(join(ours, "fs")));
        expect(shown).toEqual(describeTree(theirs));
        expect(await fsckComplaint(index, tar)).toBe("");
      });
      for (const place of [work, unpacked]) rmSync(place, { recursive: true });
    },
    60_000,
  );
});
