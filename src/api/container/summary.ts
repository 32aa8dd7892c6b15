import type { ContainerService } from "#engine/container/service.ts";
import type { NetworkService } from "#engine/network/service.ts";
import { isRunning, shownStatus } from "#engine/container/state.ts";
import { exposedPorts } from "#engine/container/ports.ts";
import { parseTimeNano } from "#lib/clock.ts";
import { humanDuration, humanDurationStays } from "#lib/duration.ts";
import type { ContainerSummary, PortSummary } from "#types/engine-api/index.ts";
import type { ContainerHealth, ContainerRecord } from "#types/record/container.ts";
import { toEndpoints, toMountPoints } from "./inspect.ts";

export interface SummaryServices {
  readonly containers: Pick<ContainerService, "health" | "linkNames">;
  readonly networks: NetworkService;
}

export interface SummaryOptions {
  /** Nanoseconds since 1970. */
  readonly now: bigint;
  readonly imageName: string;
  readonly size?: { readonly rw: number; readonly rootFs: number } | undefined;
  /** From API version 1.52 on. */
  readonly showsHealth?: boolean;
}

/** One line of the list. */
export function toSummary(record: ContainerRecord, { containers, networks }: SummaryServices, options: SummaryOptions): ContainerSummary {
  const { now, imageName, size } = options;
  const health = containers.health.of(record);
  const status = shownStatus(record);
  return {
    Id: record.id,
    Names: [`/${record.name}`, ...containers.linkNames(record.id)],
    Image: imageName,
    ImageID: record.imageId,
    Command: commandLine(record),
    Created: Number((parseTimeNano(record.createdAt) ?? 0n) / 1_000_000_000n),
    Ports: toPorts(record),
    ...(size && { ...(size.rw > 0 && { SizeRw: size.rw }), SizeRootFs: size.rootFs }),
    Labels: record.config.Labels ?? {},
    State: status,
    Status: statusText(record, now, health),
    ...(options.showsHealth && { Health: { Status: health?.status ?? "none", FailingStreak: health?.failingStreak ?? 0 } }),
    HostConfig: {
      NetworkMode: record.hostConfig.NetworkMode ?? "",
      ...(record.hostConfig.Annotations && { Annotations: record.hostConfig.Annotations }),
    },
    NetworkSettings: { Networks: toEndpoints(record, networks) },
    Mounts: toMountPoints(record),
  };
}

/** The command with words quoted that a shell would take apart. */
function commandLine(record: ContainerRecord): string {
  const [path = "", ...args] = [...(record.config.Entrypoint ?? []), ...(record.config.Cmd ?? [])];
  return [path, ...args.map((word) => (/[\s"'\\]/.test(word) ? `'${word.replaceAll("'", "'\\''")}'` : word))].join(" ");
}

/** `Up 2 hours`, `Exited (0) 3 minutes ago`, … as Docker writes it. */
export function statusText(record: ContainerRecord, now: bigint, health: ContainerHealth | undefined): string {
  const { state } = record;
  const since = (time: string): string => humanDuration(Number(now - (parseTimeNano(time) ?? now)) / 1e6);
  switch (state.status) {
    case "running":
      return `Up ${since(state.startedAt)}${health ? ` (${health.status === "starting" ? "health: starting" : health.status})` : ""}`;
    case "paused":
      return `Up ${since(state.startedAt)} (Paused)`;
    case "restarting":
      return `Restarting (${state.exitCode}) ${since(state.finishedAt)} ago`;
    case "removing":
      return "Removal In Progress";
    case "dead":
      return "Dead";
    case "created":
    case "starting":
      return "Created";
    case "exited":
      return `Exited (${state.exitCode}) ${since(state.finishedAt)} ago`;
  }
}

/** Nanoseconds since 1970 until which the status of each of them stays as it is; health apart. */
export function statusesStayUntil(records: readonly ContainerRecord[], now: bigint): bigint {
  let until = now + 1_800_000_000_000n;
  for (const { state } of records) {
    const since = parseTimeNano(isRunning(state) ? state.startedAt : state.finishedAt);
    if (since === undefined || state.status === "created") continue;
    const end = now + BigInt(Math.trunc(humanDurationStays(Number(now - since) / 1e6) * 1e6));
    if (end < until) until = end;
  }
  return until;
}

function toPorts(record: ContainerRecord): PortSummary[] {
  if (!isRunning(record.state)) return [];
  const published = record.sandbox?.ports ?? [];
  const bound = published.map(({ hostIp, containerPort, hostPort, protocol }) => ({
    IP: hostIp,
    PrivatePort: containerPort,
    PublicPort: hostPort,
    Type: protocol,
  }));
  const only = exposedPorts(record.config)
    .filter(({ containerPort, protocol }) => !published.some((port) => port.containerPort === containerPort && port.protocol === protocol))
    .map(({ containerPort, protocol }) => ({ PrivatePort: containerPort, Type: protocol }));
  return [...bound, ...only].sort((a, b) => a.PrivatePort - b.PrivatePort);
}
