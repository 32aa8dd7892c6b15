import { logDestination } from "#drivers/log/destination.ts";
import type { LogConfig } from "#drivers/log/types.ts";
import { instancePaths } from "#lib/instance.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { ContainerDependencies } from "./dependencies.ts";

/** Where a container's output goes. @throws {EngineError} `invalid` with dockerd's words for a tag or pattern that cannot be used */
export function logConfig(deps: Pick<ContainerDependencies, "instance">, record: ContainerRecord): LogConfig {
  const paths = instancePaths(deps.instance).container(record.id);
  const { config, hostConfig } = record;
  return {
    containerId: record.id,
    spoolFolder: paths.spool,
    logsFolder: paths.logs,
    tty: config.Tty === true,
    ...logDestination(record.logDriver, hostConfig.LogConfig?.Config ?? {}, {
      id: record.id,
      name: record.name,
      imageId: record.imageId,
      imageName: config.Image ?? "",
      labels: config.Labels ?? {},
      environment: config.Env ?? [],
      createdAt: record.createdAt,
      command: [...(config.Entrypoint ?? []), ...(config.Cmd ?? [])],
    }),
  };
}
