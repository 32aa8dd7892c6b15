import { EngineError, isKind, messageOf } from "#lib/errors.ts";
import type { HostConfig } from "#types/engine-api/index.ts";
import type { ContainerLink, ContainerRecord } from "#types/record/container.ts";
import type { ContainerDependencies } from "../dependencies.ts";
import { sharedOwner } from "../shared-mode.ts";

type Dependencies = Pick<ContainerDependencies, "containers" | "networks">;

/**
 * The containers that `HostConfig.Links` names, for the default bridge; on a network of the user links are settings of the endpoint.
 * @throws {EngineError} `invalid` with Docker's texts
 */
export function resolveLinks(deps: Dependencies, host: HostConfig): ContainerLink[] {
  const mode = host.NetworkMode ?? "bridge";
  const wanted = host.Links ?? [];
  if (wanted.length === 0) return [];
  if (mode === "host") throw hostConflict();
  if (mode !== "bridge" && mode !== "none") return [];
  const links = new Map<string, ContainerLink>();
  for (const text of wanted) {
    const { name, alias } = parseLink(text);
    const { id, name: current } = linkable(deps, name);
    if (!links.has(alias)) links.set(alias, { containerId: id, name: current, alias });
  }
  return [...links.values()];
}

/** `NAME`, `NAME:ALIAS`, or what inspect shows of another container: `/NAME:/CONTAINER/ALIAS`. @throws {EngineError} `invalid` with Docker's texts */
export function parseLink(text: string): { readonly name: string; readonly alias: string } {
  if (text === "") throw new EngineError("invalid", "empty string specified for links");
  const [name = "", alias, ...more] = text.split(":");
  if (more.length > 0) throw new EngineError("invalid", `bad format for links: ${text}`);
  if (alias === undefined) return { name, alias: name };
  if (name.startsWith("/")) return { name: name.slice(1), alias: alias.slice(alias.lastIndexOf("/") + 1) };
  return { name, alias };
}

/** Who shares the network of another is reached by the other's address. */
function linkable(deps: Dependencies, name: string): ContainerRecord {
  const failed = (reason: string, cause?: unknown): EngineError =>
    new EngineError("invalid", `could not get container for ${name}: ${reason}`, { cause });
  if (name === "") throw failed('invalid name or ID supplied: ""');
  let record: ContainerRecord;
  try {
    record = deps.containers.find(name);
    for (let owner = ownerOf(record); owner !== undefined; owner = ownerOf(record)) record = deps.containers.find(owner);
  } catch (error) {
    if (!isKind(error, "not_found", "invalid")) throw error;
    throw failed(messageOf(error), error);
  }
  if (record.hostConfig.NetworkMode === "host") throw hostConflict();
  return record;
}

function ownerOf(record: ContainerRecord): string | undefined {
  return sharedOwner(record.hostConfig.NetworkMode ?? "");
}

function hostConflict(): EngineError {
  return new EngineError(
    "invalid",
    "conflicting options: host type networking can't be used with links. This would result in undefined behavior",
  );
}
