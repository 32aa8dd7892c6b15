import { mkdir } from "node:fs/promises";
import type { RuntimeBeginRequest } from "#drivers/runtime/types.ts";
import { instancePaths } from "#lib/instance.ts";
import type { ContainerConfig, HostConfig } from "#types/engine-api/index.ts";
import type { ContainerDependencies } from "./dependencies.ts";

/** What is fixed when a container's monitor is begun. */
export interface MonitorShape {
  /** As `--runtime` names it. */
  readonly runtime: string;
  readonly tty: boolean;
  readonly openStdin: boolean;
  readonly stdinOnce: boolean;
}

export function monitorShape(deps: Pick<ContainerDependencies, "settings">, config: ContainerConfig, host: HostConfig): MonitorShape {
  return {
    runtime: host.Runtime || deps.settings.defaultRuntime,
    tty: config.Tty === true,
    openStdin: config.OpenStdin === true,
    stdinOnce: isStdinOnce(config),
  };
}

/** The end of the first client's input is the end of the container's. A terminal has no such end. */
export function isStdinOnce(config: ContainerConfig): boolean {
  return config.StdinOnce === true && config.Tty !== true;
}

/** What a container has on the data root from its creation on. */
export async function makeFolders(deps: Pick<ContainerDependencies, "instance">, id: string): Promise<void> {
  const { folder, spool } = instancePaths(deps.instance).container(id);
  await mkdir(folder, { recursive: true, mode: 0o710 });
  await mkdir(spool, { recursive: true, mode: 0o700 });
}

export function beginRequest(deps: ContainerDependencies, id: string, shape: MonitorShape, cgroupsPath: string): RuntimeBeginRequest {
  const { bundle, persist, spoolLog } = instancePaths(deps.instance).container(id);
  const { tty, openStdin, stdinOnce } = shape;
  return {
    ...{ id, bundle, cgroupsPath, spoolLog, tty, openStdin, stdinOnce },
    spoolSizeLimitBytes: deps.settings.spoolSizeLimitBytes,
    persistFolder: persist,
  };
}

export function isSameShape(one: MonitorShape, other: MonitorShape): boolean {
  return one.runtime === other.runtime && one.tty === other.tty && one.openStdin === other.openStdin && one.stdinOnce === other.stdinOnce;
}
