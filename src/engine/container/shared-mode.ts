import { EngineError } from "#lib/errors.ts";
import type { ContainerConfig, HostConfig } from "#types/engine-api/index.ts";

const sharedPrefix = "container:";

/** Name or id of the container whose network, processes or shared memory a mode means (`container:ID`); undefined for every other mode. */
export function sharedOwner(mode: string): string | undefined {
  return mode.startsWith(sharedPrefix) ? mode.slice(sharedPrefix.length) : undefined;
}

/** A mode with the owner's id, so that a rename of the owner changes nothing; an owner that is not there yet stays as it is named. */
export function withOwnerId(mode: string, idOf: (name: string) => string | undefined): string {
  const owner = sharedOwner(mode);
  return owner === undefined ? mode : `${sharedPrefix}${idOf(owner) ?? owner}`;
}

/**
 * Refuses what a request says beside a network that another container owns. What the image says is no conflict: it is ignored.
 * @throws {EngineError} `invalid` with Docker's texts
 */
export function refuseNetworkConflicts(config: ContainerConfig, host: HostConfig): void {
  const fail = (what: string): EngineError => new EngineError("invalid", `conflicting options: ${what}`);
  if (host.UTSMode === "host" && config.Hostname) throw fail("hostname and the UTS mode");
  const owner = sharedOwner(host.NetworkMode ?? "");
  if (owner === undefined) return;
  if (owner === "") throw new EngineError("invalid", "invalid network mode: invalid container format container:<name|id>");
  if (config.Hostname) throw fail("hostname and the network mode");
  if (hasAny(host.Links)) throw fail("container type network can't be used with links. This would result in undefined behavior");
  if (hasAny(host.Dns)) throw fail("dns and the network mode");
  if (hasAny(host.ExtraHosts)) throw fail("custom host-to-IP mapping and the network mode");
  if (hasAny(host.PortBindings) || host.PublishAllPorts) throw fail("port publishing and the container type network mode");
  if (hasAny(config.ExposedPorts)) throw fail("port exposing and the container type network mode");
}

function hasAny(value: object | null | undefined): boolean {
  return Object.keys(value ?? {}).length > 0;
}
