import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { isDiskFull } from "#lib/disk.ts";
import { EngineError, messageOf } from "#lib/errors.ts";
import type { Logger } from "#lib/log.ts";
import { encodeHead, endOfArchive } from "#lib/tar/encode.ts";
import { TarReader } from "#lib/tar/reader.ts";
import type { Kernel } from "#os/kernel.ts";
import { readMounts } from "#os/mount.ts";
import type { ProjectQuotas } from "../quota/project-quotas.ts";
import { writeIndex } from "./erofs/index-writer.ts";
import { ErofsSnapshotter } from "./erofs/snapshotter.ts";
import { HelperPool } from "./helper-process.ts";
import { layerPaths, LayerStore } from "./layer-store.ts";
import type { LayerSnapshotter, SnapshotterParts } from "./layer-snapshotter.ts";
import { LayerTree } from "./layer-tree.ts";
import type { StorageDriver, StorageDriverName } from "./storage-driver.ts";
import { UnpackedSnapshotter } from "./unpacked/snapshotter.ts";
import { upperLack } from "./upper-probe.ts";
import { VfsSnapshotter } from "./vfs/snapshotter.ts";

/**
 * Opens the layers below `layers` with the best snapshotter that works there, told by a mount and not by the kernel's version.
 * @param forced takes this one; how layers are mounted is not tried then, and shows when it is used
 * @throws {EngineError} `invalid` for a folder whose name cannot be given to the kernel, or on which the forced one cannot write
 */
export async function openSnapshotter(
  { layers, quotas }: { readonly layers: string; readonly quotas?: ProjectQuotas },
  kernel: Kernel,
  logger: Logger,
  forced?: StorageDriver,
): Promise<LayerSnapshotter> {
  checkPath(layers);
  await unmountLeftProbe(layers, kernel);
  const helpers = new HelperPool();
  const store = await LayerStore.open(layers, logger, (path) => removeTreeByHelper(helpers, path));
  const parts = { store, kernel, helpers, logger, ...(quotas && { quotas }) };
  if (forced !== undefined && forced !== "vfs") await checkUppers(forced, parts);
  const snapshots = await openDriver(forced ?? (await chooseDriver(parts)), parts);
  await snapshots.dropReplaced();
  return snapshots;
}

function openDriver(driver: StorageDriver, parts: SnapshotterParts): Promise<LayerSnapshotter> {
  if (driver === "vfs") return VfsSnapshotter.open(parts);
  if (driver === "overlay2") return UnpackedSnapshotter.open(parts);
  return ErofsSnapshotter.open(parts, driver === "erofs-loop");
}

async function removeTreeByHelper(helpers: HelperPool, path: string): Promise<void> {
  await helpers.run("remove-tree", { path }, new AbortController().signal);
}

/** Commas and colons separate mount options, and one option has at most 255 bytes: 72 of them are ours. */
function checkPath(layers: string): void {
  const isUsable = !/[,:\\]/.test(layers) && Buffer.byteLength(layers) <= 180;
  if (!isUsable) throw new EngineError("invalid", `data root ${layers} cannot be used: no comma, colon or backslash, at most 180 bytes`);
}

/** A kill in the middle of a probe, or of a mount with other ids, leaves what was attached, and the temporary folder could not be emptied. */
async function unmountLeftProbe(layers: string, kernel: Kernel): Promise<void> {
  const { mapped, temporary } = layerPaths(layers);
  const isLeft = (target: string): boolean => target === mapped || target.startsWith(`${temporary}/`) || target.startsWith(`${mapped}/`);
  for (const { target } of readMounts()) if (isLeft(target)) await kernel.run({ type: "umount", target });
}

/** Nothing can be tried on a full disk: what is there can be used and removed with whatever driver. */
async function checkUppers(driver: StorageDriver, { store, kernel }: SnapshotterParts): Promise<void> {
  const lack = await inTemporaryFolder(store, (folder) => upperLack(folder, kernel)).catch((error: unknown) => {
    if (!isDiskFull(error)) throw error;
  });
  if (lack === undefined) return;
  const message = `storage driver ${driver} cannot be used below ${store.paths.chains}: ${lack}. Use vfs, or name another folder with --data-root`;
  throw new EngineError("invalid", message);
}

/** Tries tiny layers where the real ones will be: the file system below decides too. */
async function chooseDriver(parts: SnapshotterParts): Promise<StorageDriverName> {
  const { store, kernel, logger } = parts;
  try {
    const lack = await inTemporaryFolder(store, (folder) => upperLack(folder, kernel));
    if (lack !== undefined) {
      logger.warn("overlays cannot be written here: layers and containers will be whole copies, which take more room and time (vfs)", {
        folder: store.paths.chains,
        reason: lack,
      });
      return "vfs";
    }
    return (await canMountErofs(parts)) ? "erofs" : "overlay2";
  } catch (error) {
    if (!isDiskFull(error)) throw error;
    return driverOfLayers(store);
  }
}

/** What the layers that are there need must go on, so that they can be used and removed. */
function driverOfLayers(store: LayerStore): StorageDriverName {
  const forms = new Set(store.list().map((chainId) => store.get(chainId)?.form));
  return forms.has("whole") ? "vfs" : forms.has("unpacked") ? "overlay2" : "erofs";
}

async function canMountErofs({ store, kernel, logger }: SnapshotterParts): Promise<boolean> {
  try {
    return await inTemporaryFolder(store, (folder) => mountTinyLayer(folder, kernel, logger));
  } catch (error) {
    if (isDiskFull(error)) throw error;
    logger.warn("EROFS cannot be mounted here, neither from files nor through loop devices: layers will be unpacked", {
      folder: store.paths.chains,
      reason: messageOf(error),
    });
    return false;
  }
}

async function inTemporaryFolder<T>(store: LayerStore, body: (folder: string) => Promise<T>): Promise<T> {
  const folder = await store.temporaryFolder();
  try {
    return await body(folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

function mountTinyLayer(folder: string, kernel: Kernel, logger: Logger): Promise<boolean> {
  return withTinyLayer(folder, kernel, async (layer) => {
    const isOnLoop = readMounts().some(({ target, source }) => target === layer && source.startsWith("/dev/loop"));
    if (isOnLoop) logger.info("the kernel mounts no EROFS from files here: each layer takes two loop devices");
    return (await Bun.file(join(layer, probeName)).text()) === probeText;
  });
}

/** @param body  is given where a layer with one small file is mounted, while it is */
export async function withTinyLayer<T>(folder: string, kernel: Kernel, body: (layer: string) => Promise<T>): Promise<T> {
  const [index, data, target] = [join(folder, "index"), join(folder, "tar"), join(folder, "mount")];
  const tar = tinyTar();
  await writeFile(data, tar);
  await writeFile(index, indexOf(tar));
  await kernel.run({ type: "mount-erofs", index, data, target, onLoopDevices: false });
  try {
    return await body(target);
  } finally {
    await kernel.run({ type: "umount", target });
  }
}

const probeText = "gantry";
export const probeName = "probe";

function tinyTar(): Buffer {
  const modified = { seconds: 0, nanoseconds: 0 };
  const head = encodeHead({ type: "file", path: probeName, mode: 0o644, uid: 0, gid: 0, modified, sizeBytes: probeText.length });
  return Buffer.concat([head, Buffer.from(probeText.padEnd(512, "\0")), endOfArchive]);
}

function indexOf(tar: Buffer): Buffer {
  const tree = new LayerTree();
  const reader = new TarReader(tree);
  reader.push(tar);
  reader.finish();
  tree.settle(() => undefined);
  return writeIndex(tree.root, tar.length);
}
