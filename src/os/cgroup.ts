import { existsSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readMounts } from "./mount.ts";

/** One mounted cgroup hierarchy. v2 has no controllers in its name: they are read from cgroup.controllers. */
export interface CgroupHierarchy {
  readonly version: 1 | 2;
  readonly path: string;
  readonly controllers: readonly string[];
}

export type CgroupMode = "v1" | "v2" | "hybrid";

/** The hierarchies of this host. They do not change while the daemon runs; a hugetlb mounted later is seen at the next start. */
export function cgroupHierarchies(): CgroupHierarchy[] {
  return readMounts()
    .filter((mount) => mount.type === "cgroup" || mount.type === "cgroup2")
    .map((mount) => {
      if (mount.type === "cgroup2") {
        const controllers = readFileSync(join(mount.target, "cgroup.controllers"), "utf8").split(/\s+/).filter(Boolean);
        return { version: 2 as const, path: mount.target, controllers };
      }
      const controllers = mount.superOptions.split(",").filter((option) => option !== "rw" && option !== "ro" && !option.includes("="));
      const named = mount.superOptions.split(",").filter((option) => option.startsWith("name="));
      return { version: 1 as const, path: mount.target, controllers: [...controllers, ...named] };
    });
}

export function cgroupMode(hierarchies: readonly CgroupHierarchy[]): CgroupMode {
  if (hierarchies.every((hierarchy) => hierarchy.version === 2)) return "v2";
  return hierarchies.some((hierarchy) => hierarchy.version === 2) ? "hybrid" : "v1";
}

/** Folder of a cgroup in the hierarchy that has the controller (v2: in the unified one). */
export function cgroupFolder(hierarchies: readonly CgroupHierarchy[], controller: string, path: string): string | undefined {
  const v1 = hierarchies.find((hierarchy) => hierarchy.version === 1 && hierarchy.controllers.includes(controller));
  const found = v1 ?? hierarchies.find((hierarchy) => hierarchy.version === 2);
  return found && join(found.path, path);
}

/** Processes in a cgroup and below it. */
export function cgroupProcesses(folder: string): number[] {
  if (!existsSync(folder)) return [];
  const own = readFileSync(join(folder, "cgroup.procs"), "utf8").split("\n").filter(Boolean).map(Number);
  return [...own, ...subgroups(folder).flatMap(cgroupProcesses)];
}

/** True while the processes of a cgroup are frozen. Source: kernel documentation, cgroup-v1/freezer-subsystem, cgroup-v2 "cgroup.freeze". */
export function isCgroupFrozen(folder: string): boolean {
  const [v1, v2] = [join(folder, "freezer.state"), join(folder, "cgroup.freeze")];
  if (existsSync(v1)) return readFileSync(v1, "utf8").trim() !== "THAWED";
  return existsSync(v2) && readFileSync(v2, "utf8").trim() === "1";
}

/** Lets frozen processes run, and die; success when nothing is frozen. */
export function thawCgroup(folder: string): void {
  const [v1, v2] = [join(folder, "freezer.state"), join(folder, "cgroup.freeze")];
  if (existsSync(v1)) writeFileSync(v1, "THAWED");
  else if (existsSync(v2)) writeFileSync(v2, "0");
}

/** Removes a cgroup in every hierarchy, children first; one that is gone is a success. @throws ErrnoException `EBUSY` while it has processes */
export function removeCgroup(path: string): void {
  for (const hierarchy of cgroupHierarchies()) removeGroupTree(join(hierarchy.path, path));
}

function removeGroupTree(folder: string): void {
  if (!existsSync(folder)) return;
  for (const child of subgroups(folder)) removeGroupTree(child);
  rmdirSync(folder);
}

function subgroups(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map((entry) => join(folder, entry.name));
}
