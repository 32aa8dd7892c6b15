import { backingFileSystem } from "#os/file-system.ts";
import { projectQuotaLack } from "#os/project-quota.ts";
import type { Check } from "./check.ts";
import { existingFolder } from "./existing-folder.ts";

/** Below those of all instances (`projectRange`): doctors may work at the same time. */
const lastProbeId = 2 ** 30 - 1;
const probeIds = 2 ** 16;

const advices: Readonly<Record<string, string>> = {
  ext4: "while it is not mounted: tune2fs -O project -Q prjquota DEVICE; then mount it with the option prjquota (/etc/fstab)",
  xfs: "mount it with the option prjquota (/etc/fstab; of a root file system: rootflags=prjquota on the kernel's command line)",
};

/** Whether the file system of the data root limits the size of folders. */
export function checkQuota(dataRoot: string): Check {
  const name = "project quota";
  const folder = existingFolder(dataRoot);
  const lack = projectQuotaLack(folder, lastProbeId - Math.floor(Math.random() * probeIds));
  if (lack === undefined) return { name, status: "ok", detail: "containers and volumes can be limited in size" };
  return {
    name,
    status: "info",
    detail: `off, so volumes cannot be limited in size, and containers by a disk in a file alone: ${lack}`,
    advice: advices[backingFileSystem(folder)] ?? "name a folder on ext4 or xfs with --data-root",
  };
}
