import { expect, test } from "bun:test";
import { mkdir, mkdtemp, rm, statfs, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { FileContentStore } from "#drivers/content/store.ts";
import { openSnapshotter } from "#drivers/snapshot/probe.ts";
import { silentLogger } from "#lib/log.ts";
import { archive, member } from "#lib/tar/fixtures.ts";
import { Kernel } from "#os/kernel.ts";
import { unmount } from "#os/mount.ts";

const mebibyte = 1 << 20;

/** Runs `body` with a folder on an ext4 file system of 64 MiB. */
async function withSmallDisk(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await mkdtemp("/var/tmp/gantry-full-");
  const [image, disk] = [join(folder, "image"), join(folder, "disk")];
  try {
    await mkdir(disk);
    await writeFile(image, "");
    await truncate(image, 64 * mebibyte);
    expect(Bun.spawnSync(["mkfs.ext4", "-q", "-F", "-m", "0", image]).exitCode).toBe(0);
    expect(Bun.spawnSync(["mount", "-o", "loop", image, disk]).exitCode).toBe(0);
    await body(disk);
  } finally {
    unmount(disk);
    await rm(folder, { recursive: true, force: true });
  }
}

async function freeBytes(folder: string): Promise<number> {
  const { bavail, bsize } = await statfs(folder);
  return bavail * bsize;
}

const noSpace = { kind: "unavailable", message: "no space left on device" };

test.each(["erofs", "overlay2", "vfs"] as const)(
  "G1: importing a layer of %s on a full disk says so and gives the space back",
  async (form) => {
    const kernel = new Kernel();
    const { signal } = new AbortController();
    try {
      await withSmallDisk(async (disk) => {
        const blob = join(disk, "..", "blob");
        await writeFile(blob, gzipSync(archive(member("big", {}, Buffer.alloc(200 * mebibyte)))));
        const snapshots = await openSnapshotter({ layers: join(disk, "layers") }, kernel, silentLogger, form);
        const before = await freeBytes(disk);
        await expect(snapshots.importLayer({ path: blob, parents: [] }, signal)).rejects.toMatchObject(noSpace);
        expect(await freeBytes(disk)).toBeGreaterThan(before - 8 * mebibyte);
        expect(await snapshots.layers()).toEqual([]);
        const small = join(disk, "..", "small");
        await writeFile(small, archive(member("f", {}, "x")));
        expect((await snapshots.importLayer({ path: small, parents: [] }, signal)).sizeBytes).toBe(2048);
      });
    } finally {
      await kernel.close();
    }
  },
);

test("G1: a blob that does not fit is refused and gives the space back", async () => {
  await withSmallDisk(async (disk) => {
    const store = await FileContentStore.open(join(disk, "content"), silentLogger);
    const before = await freeBytes(disk);
    const write = async (): Promise<void> => {
      await using writer = await store.writer();
      for (let written = 0; written < 100; written++) await writer.write(Buffer.alloc(mebibyte, written));
      await writer.commit({});
    };
    await expect(write()).rejects.toMatchObject(noSpace);
    expect(await freeBytes(disk)).toBeGreaterThan(before - 8 * mebibyte);
  });
});

test("G3, G6: layers are removed on a full disk, and without free inodes the error is clean", async () => {
  const kernel = new Kernel();
  const { signal } = new AbortController();
  try {
    await withSmallDisk(async (disk) => {
      const blob = join(disk, "..", "blob");
      await writeFile(blob, archive(member("f", {}, Buffer.alloc(mebibyte, "x"))));
      const layers = join(disk, "layers");
      const { chainId } = await (
        await openSnapshotter({ layers }, kernel, silentLogger, "overlay2")
      ).importLayer({ path: blob, parents: [] }, signal);
      const crowd = join(disk, "..", "crowd");
      const many = Array.from({ length: 30_000 }, (_, index) => member(`d/${index}`));
      await writeFile(crowd, archive(...many));
      const snapshots = await openSnapshotter({ layers }, kernel, silentLogger, "overlay2");
      await expect(snapshots.importLayer({ path: crowd, parents: [] }, signal)).rejects.toMatchObject(noSpace);
      // A hundred per cent full, then a start and a removal.
      await writeFile(join(disk, "filler"), Buffer.alloc(await freeBytes(disk))).catch(() => {});
      const again = await openSnapshotter({ layers }, kernel, silentLogger, "overlay2");
      await again.removeLayer(chainId);
      expect(await again.layers()).toEqual([]);
    });
  } finally {
    await kernel.close();
  }
}, 60_000);
