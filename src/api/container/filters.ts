import { isRunning, shownStatus } from "#engine/container/state.ts";
import type { ContainerService } from "#engine/container/service.ts";
import type { ImageService } from "#engine/image/service.ts";
import type { NetworkService } from "#engine/network/service.ts";
import { exposedPorts } from "#engine/container/ports.ts";
import { parseTimeNano } from "#lib/clock.ts";
import { EngineError, messageOf } from "#lib/errors.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import { matchesLabels, matchesName, parseUntil, valuesOf } from "../filters.ts";
import { booleanFilter, type Filters } from "../decode/filters.ts";
import { parseInteger } from "../decode/query.ts";

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

const statuses = ["created", "running", "paused", "restarting", "removing", "exited", "dead"];
const healths = ["none", "starting", "healthy", "unhealthy"];

interface ListOptions {
  readonly all: boolean;
  readonly limit: number;
  readonly services: { readonly containers: ContainerService; readonly images: ImageService; readonly networks: NetworkService };
}

/** Newest first. With a limit, or with filters that speak of containers that do not run, those are listed too. */
export function listContainers(records: readonly ContainerRecord[], filters: Filters, options: ListOptions): ContainerRecord[] {
  checkValues(filters, "status", "state", statuses);
  checkValues(filters, "health", "health", healths);
  const newestFirst = [...records].sort((a, b) => (a.createdAt < b.createdAt ? 1 : -1));
  const everything = options.all || options.limit > 0 || ["status", "exited", "since", "before"].some((name) => filters.has(name));
  const tests = [
    ...(everything ? [] : [(record: ContainerRecord) => isRunning(record.state) || record.state.status === "restarting"]),
    ...filterTests(filters, options.services),
  ];
  const found = newestFirst.filter((record) => tests.every((test) => test(record)));
  return options.limit > 0 ? found.slice(0, options.limit) : found;
}

/** @throws {EngineError} `invalid` with Docker's text for a value that is none of the known */
function checkValues(filters: Filters, filter: string, noun: string, known: readonly string[]): void {
  const wrong = valuesOf(filters, filter).find((value) => !known.includes(value));
  if (wrong === undefined) return;
  const reason = `invalid value for ${noun} (${wrong}): must be one of ${known.join(", ")}`;
  throw new EngineError("invalid", `invalid filter '${filter}=${wrong}': ${reason}`);
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
  const exited = valuesOf(filters, "exited").map(parseExit);
  const published = valuesOf(filters, "publish").map((text) => parsePortFilter("publish", text));
  const exposed = valuesOf(filters, "expose").map((text) => parsePortFilter("expose", text));
  const ancestors = valuesOf(filters, "ancestor").map((value) => services.images.lookup(value)?.id);
  return [
    ...any("id", (record, value) => matchesName(record.id, value)),
    ...any("name", (record, value) => matchesName(`/${record.name}`, value) || matchesName(record.name, value)),
    ...any("status", (record, value) => shownStatus(record) === value),
    ...(exited.length > 0 ? [(record: ContainerRecord) => !isRunning(record.state) && exited.includes(record.state.exitCode)] : []),
    ...any("network", (record, value) =>
      Object.entries(record.networks).some(([name, wanted]) => name === value || wanted.networkId.startsWith(value)),
    ),
    ...any("volume", (record, value) => record.mounts.some((mount) => mount.name === value || mount.destination === value)),
    ...(published.length > 0 ? [(record: ContainerRecord) => published.some((ports) => publishes(record, ports))] : []),
    ...(exposed.length > 0 ? [(record: ContainerRecord) => exposed.some((ports) => exposes(record, ports))] : []),
    ...any("health", (record, value) => (services.containers.health.of(record)?.status ?? "none") === value),
    ...(booleanFilter(filters, "is-task") ? [() => false] : []),
    ...(filters.has("label") ? [(record: ContainerRecord) => matchesLabels(record.config.Labels ?? {}, valuesOf(filters, "label"))] : []),
    ...(ancestors.length > 0 ? [(record: ContainerRecord) => ancestors.includes(record.imageId)] : []),
    ...(before === undefined ? [] : [(record: ContainerRecord) => record.createdAt < before]),
    ...(since === undefined ? [] : [(record: ContainerRecord) => record.createdAt > since]),
  ];
}

function parseExit(text: string): number {
  try {
    return Number(parseInteger("Atoi", text));
  } catch (error) {
    throw new EngineError("invalid", `invalid filter 'exited=${text}': ${messageOf(error)}`, { cause: error });
  }
}

interface WantedPorts {
  readonly protocol: string;
  readonly first: number;
  readonly last: number;
}

/** `80`, `80/udp`, `80-90/tcp`. A protocol that nobody has is found nowhere. @throws {EngineError} `invalid` with Docker's texts */
function parsePortFilter(filter: "expose" | "publish", text: string): WantedPorts {
  const fail = (reason: string): EngineError => new EngineError("invalid", `error while looking up for ${filter} ${text}: ${reason}`);
  const [range = "", protocol = "tcp"] = text.split("/");
  if (range === "") throw fail("Empty string specified for ports.");
  const at = range.indexOf("-");
  const [first, last] = (at < 0 ? [range, range] : [range.slice(0, at), range.slice(at + 1)]).map((port) => {
    const parse = `strconv.ParseUint: parsing ${JSON.stringify(port)}`;
    if (!/^\d+$/.test(port)) throw fail(`${parse}: invalid syntax`);
    if (Number(port) > 65535) throw fail(`${parse}: value out of range`);
    return Number(port);
  });
  if (first === undefined || last === undefined || last < first) throw fail(`Invalid range specified for the Port: ${range}`);
  return { protocol: protocol.toLowerCase(), first, last };
}

function publishes(record: ContainerRecord, wanted: WantedPorts): boolean {
  const ports = isRunning(record.state) ? (record.sandbox?.ports ?? []) : [];
  return ports.some(({ protocol, hostPort }) => isAmong(wanted, protocol, hostPort));
}

function exposes(record: ContainerRecord, wanted: WantedPorts): boolean {
  return exposedPorts(record.config).some(({ protocol, containerPort }) => isAmong(wanted, protocol, containerPort));
}

function isAmong(wanted: WantedPorts, protocol: string, port: number): boolean {
  return wanted.protocol === protocol && wanted.first <= port && port <= wanted.last;
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
