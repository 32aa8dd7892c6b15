import { EngineError } from "#lib/errors.ts";
import type { ContainerLink, ContainerRecord } from "#types/record/container.ts";
import type { ContainerDependencies } from "../dependencies.ts";
import { isRunning } from "../state.ts";
import { linkEnvironment } from "./environment.ts";

type Dependencies = Pick<ContainerDependencies, "containers">;

const bridge = "bridge";

/** Variables that tell a container of those it is linked to. @throws {EngineError} `invalid` with Docker's text unless all of them run */
export function linkedEnvironment(deps: Dependencies, record: ContainerRecord): string[] {
  return onBridge(record).flatMap((link) => {
    const path = linkPath(record, link);
    const child = deps.containers.peek(link.containerId);
    if (!child || !isRunning(child.state))
      throw new EngineError("invalid", `Cannot link to a non running container: /${child?.name ?? link.name} AS ${path}`);
    return linkEnvironment({
      path,
      alias: link.alias,
      address: bridgeAddress(child) ?? "",
      exposedPorts: Object.keys(child.config.ExposedPorts ?? {}),
      environment: child.config.Env ?? [],
    });
  });
}

export interface LinkedHost {
  readonly address: string;
  /** As /etc/hosts has them. */
  readonly names: string;
}

/** Lines of /etc/hosts for the linked containers that run. */
export function linkedHosts(deps: Dependencies, record: ContainerRecord): LinkedHost[] {
  return onBridge(record).flatMap(({ containerId, alias }) => {
    const child = deps.containers.peek(containerId);
    const address = child && isRunning(child.state) ? bridgeAddress(child) : undefined;
    if (!child || address === undefined) return [];
    const names = [alias, child.config.Hostname ?? "", ...(alias === child.name ? [] : [child.name])];
    return [{ address, names: names.filter(Boolean).join(" ") }];
  });
}

/** As inspect shows it: `/NAME:/CONTAINER/ALIAS`. */
export function shownLinks(record: ContainerRecord): string[] {
  return (record.links ?? []).map((link) => `/${link.name}:${linkPath(record, link)}`).sort();
}

export function linkPath({ name }: Pick<ContainerRecord, "name">, { alias }: ContainerLink): string {
  return `/${name}/${alias}`;
}

function onBridge({ links = [], networks }: ContainerRecord): readonly ContainerLink[] {
  return bridge in networks ? links : [];
}

function bridgeAddress({ sandbox, networks }: ContainerRecord): string | undefined {
  const networkId = networks[bridge]?.networkId;
  return sandbox?.endpoints.find((endpoint) => endpoint.networkId === networkId)?.ipv4;
}
