import { statSync } from "node:fs";
import { sizeOption } from "#drivers/snapshot/sized-disk.ts";
import { isWholeUpper } from "#drivers/snapshot/vfs/whole-upper.ts";
import { writableName } from "#os/idmapped-overlay.ts";
import { readMounts, type MountInfo } from "#os/mount.ts";
import type { Finding } from "./difference.ts";
import { isBelow } from "./host.ts";
import { chainHexes, neededChains } from "./layers.ts";
import type { Records } from "./records.ts";

/** Mounts below the roots: root file systems of running containers, layers, the runtime's read-only program. Namespaces are netns.ts's. */
export function checkMounts(records: Records): Finding[] {
  const { dataRoot, execRoot } = records.instance;
  const ours = readMounts().filter(({ target }) => (isBelow(target, dataRoot) || isBelow(target, execRoot)) && !isOthers(records, target));
  const byTarget = Map.groupBy(ours, ({ target }) => target);
  return [
    ...[...byTarget].flatMap(([target, stack]) => [
      ...stacked(target, stack),
      ...stack.slice(0, 1).flatMap((mount) => checkOne(records, mount)),
    ]),
    ...missingRoots(records, byTarget),
  ];
}

/** What people mount into their volumes is their business. */
const isOthers = ({ paths }: Records, target: string): boolean =>
  isBelow(target, paths.volumes) || isBelow(target, paths.networkNamespaces);

function stacked(target: string, stack: readonly MountInfo[]): Finding[] {
  return stack.length < 2 ? [] : [{ kind: "mount", subject: target, message: `is mounted ${stack.length} times, should be once` }];
}

function checkOne(records: Records, mount: MountInfo): Finding[] {
  const { paths, instance } = records;
  const { target } = mount;
  if (isBelow(target, paths.containers)) return checkContainerMount(records, mount);
  if (isBelow(target, `${paths.layers}/mounts`)) return checkLayerMount(records, mount);
  // The program of the runtime, bound read-only.
  if (/^(crun|runc)$/.test(target.slice(instance.execRoot.length + 1))) return [];
  return [{ kind: "mount", subject: target, message: `a ${mount.type} is mounted, nothing should be` }];
}

function checkContainerMount(records: Records, mount: MountInfo): Finding[] {
  const { target } = mount;
  const [id = ""] = target.slice(records.paths.containers.length + 1).split("/");
  const container = records.containers.get(id);
  const finding = (message: string): Finding[] => [{ kind: "mount", subject: target, message, owner: id }];
  if (!container) return finding("is mounted, but no record names the container: nothing should be");
  const { rootfs, upper, limited } = records.paths.container(id);
  const isOnDisk = !container.projectQuota && (sizeOption(container.hostConfig.StorageOpt) ?? 0) > 0;
  // Stays mounted while the container exists: what it holds can be read.
  if (isOnDisk && target === limited) return [];
  if (!records.mayRun(id)) return finding(`is mounted, but the container is ${container.state.status}: nothing should be`);
  if (target !== rootfs) return finding(`a ${mount.type} is mounted, only ${rootfs} should be`);
  const place = isOnDisk || container.projectQuota ? `${limited}/upper` : upper;
  if (isWholeUpper(place)) return isSameFolder(rootfs, place) ? [] : finding(`is not ${place}, and should be`);
  const options = mount.superOptions.split(",");
  // With ids of a user namespace it was attached elsewhere while the tree was mounted.
  const ownUpper = container.idMap ? `${records.paths.layers}/mapped/${writableName}/upper` : place;
  if (mount.type !== "overlay" || !options.includes(`upperdir=${ownUpper}`)) return finding(`is no overlay on ${ownUpper}, and should be`);
  const chain = chainHexes(container.layers);
  const strange = [...mount.superOptions.matchAll(/\/(?:mounts|mapped|chains)\/([0-9a-f]{64})/g)].find(
    ([, hex]) => !chain.includes(hex ?? ""),
  );
  return strange ? finding(`stands on layer ${strange[1]}, which is none of its image`) : [];
}

function isSameFolder(one: string, other: string): boolean {
  const [a, b] = [statSync(one), statSync(other)];
  return a.dev === b.dev && a.ino === b.ino;
}

function checkLayerMount(records: Records, { target, type }: MountInfo): Finding[] {
  const hex = target.slice(records.paths.layers.length + "/mounts/".length);
  if (neededChains(records).has(hex))
    return type === "erofs" ? [] : [{ kind: "mount", subject: target, message: `is ${type}, should be erofs` }];
  return [{ kind: "mount", subject: target, message: "is mounted, but no image or container has the layer: nothing should be" }];
}

function missingRoots(records: Records, mounted: ReadonlyMap<string, unknown>): Finding[] {
  return records.live.flatMap(({ id }) => {
    const { rootfs } = records.paths.container(id);
    if (mounted.has(rootfs)) return [];
    return [{ kind: "mount", subject: rootfs, message: "is not mounted, should be: the container runs", owner: id } as const];
  });
}
