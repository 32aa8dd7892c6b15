import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountFileSystem, unmount } from "../../../src/os/mount.ts";
import { projectQuotaLack, readProject } from "../../../src/os/project-quota.ts";
import { checkQuota } from "../../../src/helper/doctor/quota.ts";
import { lackOfProgram, mountImage, type FileSystemKind } from "../../support/file-system-image.ts";
import { lackOf } from "../../support/host-has.ts";

const id = 2 ** 30 - 2 ** 17;

const onThis = (kind: FileSystemKind) => test.skipIf(lackOf("project quotas") !== undefined || lackOfProgram(kind) !== undefined);

test("a file system without projects has no quotas, and the probe leaves nothing there", () => {
  using image = mountImage("ext4");
  expect(projectQuotaLack(image.folder, id)).toBe("this file system has no projects, or was made without them");
  expect(readdirSync(image.folder)).toEqual(["lost+found"]);
  expect(checkQuota(join(image.folder, "not/there"))).toMatchObject({ status: "info", advice: expect.stringContaining("tune2fs") });
});

test("neither has a file system in memory", () => {
  const folder = mkdtempSync(join(tmpdir(), "probe-"));
  const mounted = join(folder, "mounted");
  mkdirSync(mounted);
  mountFileSystem("tmpfs", mounted, "tmpfs", 0, "size=1m");
  try {
    expect(projectQuotaLack(mounted, id)).toMatch(/^this file system has no projects|^project quotas are off/);
    expect(readdirSync(mounted)).toEqual([]);
  } finally {
    unmount(mounted);
    rmSync(folder, { recursive: true });
  }
});

onThis("ext4 that counts")("limits that are counted and not kept are none", () => {
  using image = mountImage("ext4 that counts");
  expect(projectQuotaLack(image.folder, id)).toBe("project quotas are counted, and not kept: the mount option prjquota is missing");
  expect(readProject(image.folder, id)).toEqual({ limitBytes: 0, usedBytes: 0, inodes: 0 });
});

for (const kind of ["ext4 with project quotas", "xfs with project quotas"] as const)
  onThis(kind)(`${kind} keeps limits, and the probe leaves none`, () => {
    using image = mountImage(kind);
    expect(projectQuotaLack(image.folder, id)).toBeUndefined();
    // XFS counts a folder for a moment after its removal.
    expect(readProject(image.folder, id)).toMatchObject({ limitBytes: 0, usedBytes: 0 });
    expect(readdirSync(image.folder).filter((name) => name !== "lost+found")).toEqual([]);
    expect(checkQuota(image.folder)).toMatchObject({ status: "ok" });
  });
