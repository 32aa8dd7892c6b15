import { EngineError } from "#lib/errors.ts";
import type { HostConfig } from "#types/engine-api/index.ts";
import type { CreateOptions } from "./create.ts";
import type { ContainerDependencies } from "./dependencies.ts";
import { sharedOwner, withOwnerId } from "./shared-mode.ts";

type Dependencies = Pick<ContainerDependencies, "containers" | "settings">;

/**
 * What a request says for the host, with what it leaves to the daemon. It is kept so: a change of the daemon's defaults changes no container.
 * @throws {EngineError} `invalid` when processes or shared memory of a container are wanted that is not there
 */
export function withDefaults(deps: Dependencies, request: HostConfig, options: CreateOptions): HostConfig {
  // The kernel has given it up: it is accepted, and forgotten.
  const { KernelMemory: _forgotten, ...host } = request;
  const logType = host.LogConfig?.Type || deps.settings.defaultLogDriver;
  const logOptions =
    logType === deps.settings.defaultLogDriver
      ? { ...deps.settings.defaultLogOptions, ...host.LogConfig?.Config }
      : (host.LogConfig?.Config ?? {});
  const idOf = (name: string): string | undefined => deps.containers.lookup(name)?.id;
  return {
    ...host,
    NetworkMode: !host.NetworkMode || host.NetworkMode === "default" ? "bridge" : withOwnerId(host.NetworkMode, idOf),
    IpcMode: withExistingOwner(deps, host.IpcMode || options.defaultIpcMode),
    ...(host.PidMode && { PidMode: withExistingOwner(deps, host.PidMode) }),
    CgroupnsMode: host.CgroupnsMode || (deps.settings.cgroups.version === 2 ? "private" : "host"),
    SecurityOpt: withLabelOption(host),
    // Twice the memory unless said otherwise.
    ...(host.Memory && !host.MemorySwap && { MemorySwap: host.Memory * 2 }),
    ...(host.MemorySwappiness === -1 && { MemorySwappiness: null }),
    PidsLimit: host.PidsLimit && host.PidsLimit > 0 ? host.PidsLimit : null,
    RestartPolicy: { Name: host.RestartPolicy?.Name || "no", MaximumRetryCount: host.RestartPolicy?.MaximumRetryCount ?? 0 },
    LogConfig: { Type: logType, Config: logOptions },
    Runtime: host.Runtime || deps.settings.defaultRuntime,
    ShmSize: host.ShmSize || deps.settings.defaultShmBytes,
  };
}

/** Other than a network, processes and shared memory must be there at create. @throws {EngineError} `invalid` with Docker's text */
function withExistingOwner(deps: Dependencies, mode: string): string {
  const owner = sharedOwner(mode);
  if (!owner) return mode; // an empty name is refused with the other modes
  const record = deps.containers.lookup(owner);
  if (!record) throw new EngineError("invalid", `No such container: ${owner}`);
  return `container:${record.id}`;
}

/** Where processes or shared memory are the host's, labels could only be in the way: Docker says so in what inspect shows. */
function withLabelOption(host: HostConfig): readonly string[] | null {
  const options = host.SecurityOpt ?? [];
  const isLabelled = options.some((option) => /^label[=:]/.test(option));
  const sharesHost = host.Privileged === true || host.PidMode === "host" || host.IpcMode === "host";
  if (sharesHost && !isLabelled) return [...options, "label=disable"];
  return host.SecurityOpt ?? null;
}
