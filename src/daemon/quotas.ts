import { ProjectIds } from "#drivers/quota/project-ids.ts";
import { ProjectQuotas } from "#drivers/quota/project-quotas.ts";
import { instancePaths, projectRange, type Instance } from "#lib/instance.ts";
import type { Logger } from "#lib/log.ts";
import type { Kernel } from "#os/kernel.ts";
import type { ProjectQuota } from "#types/record/project-quota.ts";

export interface Quotas {
  readonly containers: ProjectQuotas;
  readonly volumes: ProjectQuotas;
}

/** Limits of the size of containers and volumes: their folders may lie on two file systems. @param records  what has a project by now */
export async function openQuotas(parts: {
  readonly instance: Instance;
  readonly kernel: Kernel;
  readonly log: Logger;
  readonly records: readonly { readonly projectQuota?: ProjectQuota }[];
}): Promise<Quotas> {
  const { instance, kernel, log, records } = parts;
  const paths = instancePaths(instance);
  const ids = new ProjectIds(
    projectRange(instance),
    records.flatMap(({ projectQuota }) => projectQuota?.id ?? []),
  );
  const containers = await ProjectQuotas.open({ place: paths.containers, mode: 0o710 }, kernel, ids);
  const volumes = await ProjectQuotas.open({ place: paths.volumes, mode: 0o701 }, kernel, ids);
  log.debug("project quotas", { containers: containers.lack ?? "on", volumes: volumes.lack ?? "on" });
  return { containers, volumes };
}
