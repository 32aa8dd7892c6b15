import { readFileSync } from "node:fs";
import { readMounts } from "#os/mount.ts";
import type { Finding } from "./difference.ts";
import { isBelow, namesIn } from "./host.ts";
import { chainHexes, hexOf } from "./layers.ts";
import type { Records } from "./records.ts";

/** A file as a block device. Source: loop(4), sysfs. */
interface LoopDevice {
  readonly path: string;
  /** Of a file that is gone the kernel tells the path with {@link deleted}. */
  readonly file: string;
}

const deleted = " (deleted)";

/** Files of the instance that are attached to loop devices: those that something mounted has, and no more. */
export function checkLoopDevices(records: Records): Finding[] {
  const mounts = readMounts();
  const sources = new Set(mounts.map(({ source }) => source));
  const { layers } = records.paths;
  const isOnDevices = mounts.filter(
    ({ type, source, target }) => type === "erofs" && source.startsWith("/dev/") && isBelow(target, layers),
  );
  const mounted = new Set(isOnDevices.map(({ target }) => target.slice(`${layers}/mounts/`.length)));
  // The mount table tells a layer's index and not its archive, which is shared by chains: each mounted one has a device of it.
  const archives = mountedArchives(records, mounted).map((hex) => `${layers}/tars/${hex}`);
  return readLoopDevices()
    .filter(({ file }) => isBelow(file, records.instance.dataRoot) && !isOfReplaced(file, layers))
    .filter(({ path, file }) => !sources.has(path) && !takeOne(archives, file))
    .map(({ path, file }) => ({ kind: "mount", subject: path, message: `has ${file} attached, which nothing mounted needs` }));
}

/** A layer that was repaired while containers had it: they keep the files that it had, and these their folder. */
function isOfReplaced(file: string, layers: string): boolean {
  return isBelow(file, `${layers}/replaced`) || (file.endsWith(deleted) && namesIn(`${layers}/replaced`).length > 0);
}

function mountedArchives({ images, containers }: Records, mounted: ReadonlySet<string>): string[] {
  const stacks = [
    ...[...images.values()].map((image) => image.layers.map(({ diffId }) => diffId)),
    ...[...containers.values()].map((container) => container.layers),
    ...[...containers.values()].flatMap(({ mounts }) => mounts.flatMap(({ image }) => (image ? [image.layers] : []))),
  ];
  const archiveOf = new Map(
    stacks.flatMap((diffIds) => chainHexes(diffIds).map((chain, at): [string, string] => [chain, hexOf(diffIds[at] ?? "")])),
  );
  return [...mounted].flatMap((chain) => archiveOf.get(chain) ?? []);
}

function takeOne(list: string[], value: string): boolean {
  const at = list.indexOf(value);
  if (at >= 0) list.splice(at, 1);
  return at >= 0;
}

function readLoopDevices(): LoopDevice[] {
  return namesIn("/sys/block")
    .filter((name) => name.startsWith("loop"))
    .flatMap((name) => {
      try {
        const file = readFileSync(`/sys/block/${name}/loop/backing_file`, "utf8").replace(/\n$/, "");
        return [{ path: `/dev/${name}`, file }];
      } catch {
        return []; // nothing is attached
      }
    });
}
