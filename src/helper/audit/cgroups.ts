import { existsSync, statSync } from "node:fs";
import { cgroupHierarchies } from "#os/cgroup.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { Finding } from "./difference.ts";
import { namesIn } from "./host.ts";
import type { Records } from "./records.ts";

/** The daemon's own group, beside those of the containers. */
const daemonGroup = "daemon";

/** One group per running container below the instance's parent, in whatever hierarchies the runtime uses, and no other. */
export function checkCgroups(records: Records): Finding[] {
  const roots = cgroupHierarchies().map(({ path }) => path);
  return [
    ...roots.flatMap((root) => strayGroups(records, `${root}/${records.instance.cgroupParent}`)),
    ...[...records.containers.values()].flatMap((container) => checkContainer(records, container, roots)),
  ];
}

function strayGroups(records: Records, parent: string): Finding[] {
  return namesIn(parent)
    .filter((name) => name !== daemonGroup && !records.containers.has(name) && isFolder(`${parent}/${name}`))
    .map((name): Finding => ({ kind: "cgroup", subject: `${parent}/${name}`, message: "exists, but no record names the container" }));
}

function checkContainer(records: Records, container: ContainerRecord, roots: readonly string[]): Finding[] {
  const { id, state } = container;
  const parent = (container.hostConfig.CgroupParent || records.instance.cgroupParent).replace(/^\/+|\/+$/g, "");
  const present = roots.map((root) => `${root}/${parent}/${id}`).filter((path) => existsSync(path));
  if (!records.mayRun(id))
    return present.map((subject) => ({ kind: "cgroup", subject, message: `exists, but the container is ${state.status}`, owner: id }));
  if ("process" in state && present.length === 0)
    return [
      {
        kind: "cgroup",
        subject: `/${parent}/${id}`,
        message: "is missing in every hierarchy, should be there: the container runs",
        owner: id,
      },
    ];
  return [];
}

const isFolder = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
