import { isRunning } from "#engine/container/state.ts";
import type { ContainerService } from "#engine/container/service.ts";
import type { ImageService } from "#engine/image/service.ts";
import type { NetworkService } from "#engine/network/service.ts";
import { parsePorts } from "#engine/container/ports.ts";
import { parseTimeNano } from "#lib/clock.ts";
import { EngineError } from "#lib/errors.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import { matchesLabels, matchesName, parseUntil, valuesOf } from "../filters.ts";
import { type Filters } from "../decode/filters.ts";

/** Names that the list takes. Source: Engine API, ContainerList. */
export const containerFilters = [
  "ancestor",
  "before",
  "exited",
  "expose",
  "health",
  "id",
  "isolation",
  "is-task",
  "label",
  "name",
  "network",
  "publish",
  "since",
  "status",
  "volume",
] as const;

const statuses = ["created", "restarting", "running", "removing", "paused", "exited", "dead"];

interface ListOptions {
  readonly all: boolean;
  readonly limit: number;
  readonly services: { readonly containers: ContainerService; readonly images: ImageService; readonly networks: NetworkService };
}

/** Newest first. With a limit, or with filters that speak of containers that do not run, those are listed too. */
export function listContainers(records: readonly ContainerRecord[], filters: Filters, options: ListOptions): ContainerRecord[] {
  for (const status of valuesOf(filters, "status")) {
    if (!statuses.includes(status)) throw new EngineError("invalid", `invalid filter 'status=${status}'`);
  }
  const newestFirst = [...records].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  const everything = options.all || options.limit > 0 || ["status", "exited", "since", "before"].some((name) => filters.has(name));
  const tests = [
    ...(everything ? [] : [(record: ContainerRecord) => isRunning(record.state) || record.state.status === "restarting"]),
    ...filterTests(filters, options.services),
  ];
  const found = newestFirst.filter((record) => tests.every((test) => test(record)));
  return options.limit > 0 ? found.slice(0, options.limit) : found;
}

type Test = (record: ContainerRecord) => boolean;

function filterTests(filters: Filters, services: ListOptions["services"]): Test[] {
  const any = (name: string, test: (record: ContainerRecord, value: string) => boolean): Test[] => {
    const values = valuesOf(filters, name);
    return values.length === 0 ? [] : [(record) => values.some((value) => test(record, value))];
  };
  const reference = (name: "before" | "since"): string | undefined => {
    const values = valuesOf(filters, name);
    return values.length === 0 ? undefined : services.containers.find(values[0] ?? "").createdAt;
  };
  const before = reference("before");
  const since = reference("since");
  const ancestors = valuesOf(filters, "ancestor").map((value) => services.images.lookup(value)?.id);
  return [
    ...any("id", (record, value) => matchesName(record.id, value)),
    ...any("name", (record, value) => matchesName(`/${record.name}`, value) || matchesName(record.name, value)),
    ...any("status", (record, value) => record.state.status === value || (value === "created" && record.state.status === "starting")),
    ...any("exited", (record, value) => !isRunning(record.state) && record.state.exitCode === parseExit(value)),
    ...any("network", (record, value) =>
      Object.entries(record.networks).some(([name, wanted]) => name === value || wanted.networkId.startsWith(value)),
    ),
    ...any("volume", (record, value) => record.mounts.some((mount) => mount.name === value || mount.destination === value)),
    ...any("publish", (record, value) => publishes(record, value)),
    ...any("expose", (record, value) => exposes(record, value)),
    ...any("health", (_record, value) => value === "none"),
    ...any("is-task", (_record, value) => value === "false" || value === "0"),
    ...(filters.has("label") ? [(record: ContainerRecord) => matchesLabels(record.config.Labels ?? {}, valuesOf(filters, "label"))] : []),
    ...(ancestors.length > 0 ? [(record: ContainerRecord) => ancestors.includes(record.imageId)] : []),
    ...(before === undefined ? [] : [(record: ContainerRecord) => record.createdAt < before]),
    ...(since === undefined ? [] : [(record: ContainerRecord) => record.createdAt > since]),
  ];
}

function parseExit(text: string): number {
  if (!/^-?\d+$/.test(text)) throw new EngineError("invalid", `invalid filter 'exited=${text}'`);
  return Number(text);
}

function publishes(record: ContainerRecord, text: string): boolean {
  const { protocol, first, last } = parsePorts(text);
  return (record.sandbox?.ports ?? []).some((port) => port.protocol === protocol && port.hostPort >= first && port.hostPort <= last);
}

function exposes(record: ContainerRecord, text: string): boolean {
  const { protocol, first, last } = parsePorts(text);
  return Object.keys(record.config.ExposedPorts ?? {}).some((name) => {
    const port = parsePorts(name);
    return port.protocol === protocol && port.first <= last && port.last >= first;
  });
}

/** Which stopped containers a prune takes. */
export function pruneFilters(filters: Filters): (record: ContainerRecord) => boolean {
  const until = parseUntil(filters);
  return (record) => {
    const labels = record.config.Labels ?? {};
    if (filters.has("label") && !matchesLabels(labels, valuesOf(filters, "label"))) return false;
    if (filters.has("label!") && matchesLabels(labels, valuesOf(filters, "label!"))) return false;
    return until === undefined || (parseTimeNano(record.createdAt) ?? 0n) < until;
  };
}
