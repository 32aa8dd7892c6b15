import type { LinkedPair, Protocol } from "#drivers/network/types.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { ContainerDependencies } from "../dependencies.ts";

type Dependencies = Pick<ContainerDependencies, "containers" | "networks" | "networkDriver">;

const bridge = "bridge";

/** Where the default bridge keeps containers apart (`--icc=false`), one that is linked to another reaches the ports that this exposes. */
export async function admitLinked(deps: Dependencies, record: ContainerRecord): Promise<void> {
  const network = deps.networks.peek(record.networks[bridge]?.networkId ?? "")?.config;
  if (!network || network.interContainer) return;
  const own = (record.links ?? []).flatMap(({ containerId }) => pairOf(record, deps.containers.peek(containerId)));
  const others = deps.containers.linkingTo(record.id).flatMap((linking) => pairOf(linking, record));
  await deps.networkDriver.admitLinked(network.id, [...own, ...others]);
}

/** The link of `source` to `target` is no more. */
export function refuseLinked(deps: Dependencies, source: ContainerRecord, targetId: string): void {
  const networkId = source.networks[bridge]?.networkId;
  const isLinkedStill = source.links?.some(({ containerId }) => containerId === targetId) === true;
  if (networkId !== undefined && !isLinkedStill) deps.networkDriver.refuseLinked(networkId, { source: source.id, target: targetId });
}

function pairOf(source: ContainerRecord, target: ContainerRecord | undefined): LinkedPair[] {
  if (!target) return [];
  return [{ source: source.id, target: target.id, ports: Object.keys(target.config.ExposedPorts ?? {}).flatMap(parsePort) }];
}

function parsePort(text: string): { readonly protocol: Protocol; readonly port: number }[] {
  const [number, protocol = "tcp"] = text.split("/");
  if (protocol !== "tcp" && protocol !== "udp" && protocol !== "sctp") return [];
  return [{ protocol, port: Number(number) }];
}
