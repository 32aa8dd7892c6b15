import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { chainIds } from "#drivers/snapshot/chain-id.ts";
import { snapshotterContract } from "#drivers/snapshot/contract.ts";
import { layerPaths } from "#drivers/snapshot/layer-store.ts";
import { openSnapshotter } from "#drivers/snapshot/probe.ts";
import type { DiffId, Snapshotter } from "#drivers/snapshot/types.ts";
import { silentLogger } from "#lib/log.ts";
import { archive, member } from "#lib/tar/fixtures.ts";
import { Kernel } from "#os/kernel.ts";
import { mountFileSystem, readMounts, unmount } from "#os/mount.ts";
import { expectClean } from "../../support/audit.ts";
import { startDaemon } from "../../support/daemon.ts";
import { loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";
import { loopDevicesOf } from "./loop-devices.ts";
import { preparePlace } from "./place.ts";

snapshotterContract("ErofsSnapshotter on loop devices", () => preparePlace("erofs-loop"));

const { signal } = new AbortController();

const archives = [archive(member("a", {}, "below")), archive(member("b", {}, "above"))];

/** The layers below are mounted for the import of one. */
async function importLayers(snapshots: Snapshotter, folder: string, contents = archives): Promise<DiffId[]> {
  const layers: DiffId[] = [];
  for (const [index, bytes] of contents.entries()) {
    const path = join(folder, `blob-${index}`);
    await writeFile(path, bytes);
    layers.push((await snapshots.importLayer({ path, parents: [...layers] }, signal)).diffId);
  }
  return layers;
}

const containerOf = (folder: string) => ({ upper: join(folder, "c/u"), work: join(folder, "c/w"), target: join(folder, "c/rootfs") });

test("each mounted layer has two read-only loop devices, which go with its mount", async () => {
  const place = await preparePlace("erofs-loop");
  try {
    const snapshots = await place.open();
    const layers = await importLayers(snapshots, place.folder);
    const container = containerOf(place.folder);
    await snapshots.mount({ ...container, layers, volatile: true });
    expect(await readFile(join(container.target, "a"), "utf8")).toBe("below");
    const paths = layerPaths(join(place.folder, "layers"));
    const files = [...chainIds(layers).map((chainId) => paths.index(chainId)), ...layers.map((diffId) => paths.tar(diffId))].sort();
    const devices = loopDevicesOf(place.folder);
    expect(devices.map(({ file }) => file)).toEqual(files);
    expect(devices.every(({ isReadOnly, usesDirectIo }) => isReadOnly && usesDirectIo)).toBe(true);
    await snapshots.unmount(container.target);
    for (const chainId of chainIds(layers).reverse()) await snapshots.removeLayer(chainId);
    await until(() => loopDevicesOf(place.folder).length === 0);
  } finally {
    await place.dispose();
  }
});

test("they are used by themselves where the kernel does not mount files, as on tmpfs", async () => {
  const folder = mkdtempSync("/var/tmp/gantry-erofs-tmpfs-");
  const kernel = new Kernel();
  mountFileSystem("memory", folder, "tmpfs", 0, "mode=0700");
  try {
    const snapshots = await openSnapshotter({ layers: join(folder, "layers") }, kernel, silentLogger);
    expect(snapshots.name).toBe("erofs");
    const layers = await importLayers(snapshots, folder);
    const container = containerOf(folder);
    await snapshots.mount({ ...container, layers, volatile: true });
    expect(await readFile(join(container.target, "b"), "utf8")).toBe("above");
    expect(loopDevicesOf(folder)).toHaveLength(4);
    await snapshots.unmount(container.target);
    await snapshots.close();
    await until(() => loopDevicesOf(folder).length === 0);
  } finally {
    await kernel.close();
    for (const { target } of readMounts().toReversed()) if (target.startsWith(folder)) unmount(target);
    rmSync(folder, { recursive: true });
  }
});

test("F1: killed at any moment of mounting, no device stays but those of what is mounted", async () => {
  const place = await preparePlace("erofs-loop");
  try {
    const snapshots = await place.open();
    const [diffId] = await importLayers(snapshots, place.folder, archives.slice(0, 1));
    const [chainId] = diffId ? chainIds([diffId]) : [];
    if (!diffId || !chainId) throw new Error("no layer was imported");
    const paths = layerPaths(join(place.folder, "layers"));
    const target = join(place.folder, "target");
    mkdirSync(target);
    const isMounted = (): boolean => readMounts().some((mount) => mount.target === target);
    for (let round = 0; round < 20; round++) {
      const script = join(import.meta.dir, "mount-loop.ts");
      const loop = Bun.spawn([process.execPath, script, paths.index(chainId), paths.tar(diffId), target], {
        stdio: ["ignore", "ignore", "inherit"],
      });
      await until(() => isMounted() || loop.exitCode !== null);
      await Bun.sleep((round * 7) % 23);
      expect(loop.exitCode).toBeNull();
      loop.kill("SIGKILL");
      await loop.exited;
      await until(() => loopDevicesOf(place.folder).length === (isMounted() ? 2 : 0));
      unmount(target);
      await until(() => loopDevicesOf(place.folder).length === 0);
    }
  } finally {
    await place.dispose();
  }
}, 120_000);

test("a daemon runs containers on them, also after it was killed, and the auditor knows the devices", async () => {
  await using daemon = await startDaemon({ args: ["--storage-driver=erofs-loop"] });
  await loadBusybox(daemon);
  const create = await daemon.request("POST", "/containers/create?name=one", { Image: "busybox", Cmd: ["sleep", "1000"] });
  expect(create.status).toBe(201);
  expect((await daemon.request("POST", "/containers/one/start")).status).toBe(204);
  expect(loopDevicesOf(daemon.dataRoot)).toHaveLength(2);
  await expectClean(daemon);
  await daemon.kill();
  await daemon.start();
  await expectClean(daemon);
  expect((await daemon.request("POST", "/containers/one/restart?t=0")).status).toBe(204);
  expect(loopDevicesOf(daemon.dataRoot)).toHaveLength(2);
  expect((await daemon.request("DELETE", "/containers/one?force=1")).status).toBe(204);
  expect((await daemon.request("DELETE", "/images/busybox?force=1")).status).toBe(200);
  await until(() => loopDevicesOf(daemon.dataRoot).length === 0);
  await expectClean(daemon);
}, 60_000);
