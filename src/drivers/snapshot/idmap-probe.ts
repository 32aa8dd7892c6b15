import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "#lib/errors.ts";
import { mappedRoot } from "#lib/id-map.ts";
import { bindTree } from "#os/bind-tree.ts";
import { mountIdmappedOverlay } from "#os/idmapped-overlay.ts";
import type { Kernel } from "#os/kernel.ts";
import type { IdMap } from "#types/record/id-map.ts";
import type { StorageDriverName } from "./storage-driver.ts";
import { probeName, withTinyLayer } from "./probe.ts";

/**
 * Why root file systems cannot be seen with the ids of a user namespace; undefined when they can. Told by mounting one, in `folder`, as
 * the storage driver does: kernel and file system both decide.
 */
export async function idmapLack(folder: string, kernel: Kernel, driver: StorageDriverName, map: IdMap): Promise<string | undefined> {
  const place = await mkdtemp(join(folder, "idmap-"));
  try {
    if (driver === "erofs") return await withTinyLayer(place, kernel, (layer) => mountLack(place, layer, kernel, map));
    const layer = join(place, "layer");
    await mkdir(layer);
    await writeFile(join(layer, probeName), "");
    if (driver === "vfs") return await bindLack(layer, join(place, "merged"), kernel, map);
    return await mountLack(place, layer, kernel, map);
  } catch (error) {
    return messageOf(error);
  } finally {
    await rm(place, { recursive: true, force: true });
  }
}

async function mountLack(place: string, layer: string, kernel: Kernel, map: IdMap): Promise<string | undefined> {
  const [upper = "", work = "", target = ""] = await Promise.all(
    ["upper", "work", "merged"].map(async (name) => {
      await mkdir(join(place, name));
      return join(place, name);
    }),
  );
  mountIdmappedOverlay({ lowers: [{ name: "layer", folder: layer }], upper, work, target, options: [], map, place: join(place, "mapped") });
  return lookInto(target, kernel, map);
}

async function bindLack(folder: string, target: string, kernel: Kernel, map: IdMap): Promise<string | undefined> {
  await mkdir(target);
  bindTree({ folder, target, readOnly: false, map });
  return lookInto(target, kernel, map);
}

async function lookInto(target: string, kernel: Kernel, map: IdMap): Promise<string | undefined> {
  try {
    await writeFile(join(target, "written"), ""); // a map that lacks something shows as a tree that cannot be written
    const { uid, gid } = await stat(join(target, probeName));
    const root = mappedRoot(map);
    return uid === root.uid && gid === root.gid ? undefined : `files of root are seen as ${uid}:${gid}`;
  } finally {
    await kernel.run({ type: "umount", target });
  }
}
