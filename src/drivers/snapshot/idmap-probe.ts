import { mkdir, mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { messageOf } from "#lib/errors.ts";
import { mappedRoot } from "#lib/id-map.ts";
import { mountIdmappedOverlay } from "#os/idmapped-overlay.ts";
import type { Kernel } from "#os/kernel.ts";
import type { IdMap } from "#types/record/id-map.ts";
import { probeName, withTinyLayer } from "./probe.ts";

/**
 * Why root file systems cannot be seen with the ids of a user namespace; undefined when they can. Told by mounting one, in `folder`, of the form
 * that layers have there: kernel and file system both decide.
 */
export async function idmapLack(folder: string, kernel: Kernel, form: "erofs" | "unpacked", map: IdMap): Promise<string | undefined> {
  const place = await mkdtemp(join(folder, "idmap-"));
  try {
    if (form === "erofs") return await withTinyLayer(place, kernel, (layer) => mountLack(place, layer, kernel, map));
    const layer = join(place, "layer");
    await mkdir(layer);
    await writeFile(join(layer, probeName), "");
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
  try {
    await writeFile(join(target, "written"), ""); // a map that lacks something shows as a tree that cannot be written
    const { uid, gid } = await stat(join(target, probeName));
    const root = mappedRoot(map);
    return uid === root.uid && gid === root.gid ? undefined : `files of root are seen as ${uid}:${gid}`;
  } finally {
    await kernel.run({ type: "umount", target });
  }
}
