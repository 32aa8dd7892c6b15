import { cgroupHierarchies, cgroupMode, type CgroupHierarchy } from "#os/cgroup.ts";
import type { Check } from "./check.ts";

/** Controllers without which a limit cannot be set. */
const wanted = ["cpu", "cpuset", "memory", "pids"];

export function checkCgroups(hierarchies: readonly CgroupHierarchy[] = cgroupHierarchies()): Check[] {
  if (hierarchies.length === 0)
    return [{ name: "cgroups", status: "missing", detail: "no hierarchy is mounted", advice: "mount -t cgroup2 none /sys/fs/cgroup" }];
  const mode = cgroupMode(hierarchies);
  const controllers = hierarchies.flatMap((hierarchy) => hierarchy.controllers);
  const missing = wanted.filter((controller) => !controllers.includes(controller));
  const summary: Check =
    missing.length === 0
      ? { name: "cgroups", status: "ok", detail: mode }
      : {
          name: "cgroups",
          status: "warn",
          detail: `${mode}, without ${missing.join(", ")}: these limits cannot be set`,
          advice: "Enable them at boot: cgroup_enable=memory on the kernel's command line",
        };
  return [summary, ...leftControllers(mode, hierarchies)];
}

/** A controller that is left on v2 of a hybrid host makes crun refuse every container. */
function leftControllers(mode: string, hierarchies: readonly CgroupHierarchy[]): Check[] {
  if (mode !== "hybrid") return [];
  const left = hierarchies.filter(({ version }) => version === 2).flatMap(({ controllers }) => controllers);
  return left.map((controller) => ({
    name: `controller ${controller}`,
    status: "warn",
    detail: "is left on v2 of a hybrid host: crun refuses to run, runc is used, which is slower",
    advice: `mkdir /sys/fs/cgroup/${controller} && mount -t cgroup -o ${controller} cgroup /sys/fs/cgroup/${controller}, or: gantry doctor --fix`,
    repair: { type: "mount-controller", controller },
  }));
}
