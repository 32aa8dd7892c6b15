import { existsSync } from "node:fs";

/** Which values of a JSON answer are facts, and not only their type. */
export interface ShapeOptions {
  /** Paths (`State.Status`) at and below which values are kept. "" keeps everything. */
  readonly values?: readonly string[];
  readonly normalise: (text: string) => string;
}

/** Keys whose values come from a fixed list that clients know. */
const enumerated = new Set(
  "Status Running Paused Restarting OOMKilled Dead ExitCode StatusCode Driver Scope Action RW Internal Attachable Ingress EnableIPv4 EnableIPv6 ConfigOnly NetworkMode".split(
    " ",
  ),
);

/** Lists in which Docker keeps no order. */
const unordered = new Set(["Mounts", "Ports", "ContainersDeleted", "NetworksDeleted", "VolumesDeleted"]);

/** Ports the kernel chooses by itself begin here. */
const firstFreePort = 32768;

/** Docker's default depends on the host's cgroup version; recording and comparing may happen on different ones. */
const defaultCgroupNamespace = existsSync("/sys/fs/cgroup/cgroup.controllers") ? "private" : "host";

/** The parts of a JSON object below the given paths, path → value; `undefined` where there is nothing. */
export function partsOf(value: unknown, paths: readonly string[]): Record<string, unknown> {
  const at = (path: string): unknown => path.split(".").reduce((inner: unknown, key) => (isRecord(inner) ? inner[key] : undefined), value);
  return Object.fromEntries(paths.map((path): [string, unknown] => [path, at(path)]));
}

/**
 * The form of a JSON value: keys sorted, and the type of each value; `"= x"` where the value itself is a fact, `empty` for an empty text.
 * The elements of a list become one.
 */
export function shapeOf(value: unknown, options: ShapeOptions, path = ""): unknown {
  const kept = options.values?.some((wanted) => wanted === "" || path === wanted || path.startsWith(`${wanted}.`)) ?? false;
  if (value === undefined) return "(absent)";
  if (value === null) return "null";
  if (Array.isArray(value)) return shapeOfList(value, options, path, kept);
  if (typeof value === "object") return shapeOfObject(value as Record<string, unknown>, options, path);
  const key = lastKey(path);
  if (key === "HostPort" && Number(value) >= firstFreePort) return "= (a free port)";
  if (key === "CanRemove") return typeof value; // dockerd changes it every five minutes, whatever happens
  if (key === "CgroupnsMode" && value === defaultCgroupNamespace) return "= (the default of this host)";
  if (kept || enumerated.has(key)) return `= ${options.normalise(typeof value === "string" ? value : JSON.stringify(value))}`;
  return value === "" ? "empty" : typeof value;
}

function shapeOfObject(value: Record<string, unknown>, options: ShapeOptions, path: string): unknown {
  const entries = Object.entries(value).map(([key, inner]): [string, unknown] => [
    options.normalise(key),
    shapeOf(inner, options, path === "" ? key : `${path}.${key}`),
  ]);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

function shapeOfList(value: readonly unknown[], options: ShapeOptions, path: string, kept: boolean): unknown {
  const shapes = value.map((element) => shapeOf(element, options, path));
  if (kept && unordered.has(lastKey(path))) return shapes.sort((a, b) => (JSON.stringify(a) < JSON.stringify(b) ? -1 : 1));
  if (kept || shapes.length === 0) return shapes;
  return [shapes.reduce(merge)];
}

/** One shape for two: keys of both (`key?` where only one has it), alternatives where they differ. */
function merge(a: unknown, b: unknown): unknown {
  if (Bun.deepEquals(a, b)) return a;
  if (isRecord(a) && isRecord(b)) return mergeObjects(a, b);
  const texts = [a, b].flatMap((one) => (typeof one === "string" ? one.split(" | ") : [JSON.stringify(one)]));
  return [...new Set(texts)].sort().join(" | ");
}

function mergeObjects(a: Record<string, unknown>, b: Record<string, unknown>): Record<string, unknown> {
  const bare = (key: string): string => key.replace(/\?$/, "");
  const keys = [...new Set([...Object.keys(a), ...Object.keys(b)].map(bare))].sort();
  return Object.fromEntries(
    keys.map((key): [string, unknown] => {
      const [inA, inB] = [a[key] ?? a[`${key}?`], b[key] ?? b[`${key}?`]];
      const always = key in a && key in b;
      return [always ? key : `${key}?`, inA === undefined ? inB : inB === undefined ? inA : merge(inA, inB)];
    }),
  );
}

function lastKey(path: string): string {
  return path.slice(path.lastIndexOf(".") + 1);
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
