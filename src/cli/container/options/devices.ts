import { cut, parseCsv } from "../../flag-kinds.ts";
import type { Flag } from "../../flags.ts";
import { parseMemoryBytes } from "../../units.ts";

export interface DeviceMapping {
  readonly PathOnHost: string;
  readonly PathInContainer: string;
  readonly CgroupPermissions: string;
}

/** `HOST[:CONTAINER][:rwm]`, or the name of a CDI device (`vendor.com/class=name`). @throws {Error} with Docker's words */
export function parseDevice(value: string): DeviceMapping {
  const parts = value.split(":");
  if (parts.length > 3 || parts[0] === "") throw new Error(`bad format for path: ${value}`);
  const [host = "", second, third] = parts;
  if (third !== undefined && !isMode(third)) throw new Error(`bad mode specified: ${third}`);
  const isSecondMode = second !== undefined && third === undefined && isMode(second);
  const container = second === undefined || isSecondMode ? host : second;
  if (!container.startsWith("/")) throw new Error(`${container} is not an absolute path`);
  return { PathOnHost: host, PathInContainer: container, CgroupPermissions: third ?? (isSecondMode ? second : "rwm") };
}

/** Source: Container Device Interface specification, "Qualified device names". */
export function isCdiDevice(value: string): boolean {
  return /^[A-Za-z][A-Za-z0-9_.-]*\/[A-Za-z][A-Za-z0-9_-]*=[A-Za-z0-9][A-Za-z0-9_:.-]*$/.test(value);
}

const isMode = (text: string): boolean => /^[rwm]+$/.test(text) && new Set(text).size === text.length;

export function deviceRule(value: string): string {
  if (!/^[acb] (\d+|\*):(\d+|\*) [rwm]{1,3}$/.test(value)) throw new Error(`invalid device cgroup format '${value}'`);
  return value;
}

export const weightDevice = (usage: string): Flag<readonly { Path: string; Weight: number }[]> => ({
  kind: "list",
  usage,
  defaultText: "[]",
  initial: () => [],
  set: (value, previous) => {
    const [path, text] = devicePath(value);
    const weight = Number(text);
    if (!/^\d+$/.test(text) || (weight !== 0 && (weight < 10 || weight > 1000))) throw new Error(`invalid weight for device: ${value}`);
    return [...previous, { Path: path, Weight: weight }];
  },
});

/** @param unit  `bytes` allows a unit after the number, `operations` does not */
export const throttleDevice = (usage: string, unit: "bytes" | "operations"): Flag<readonly { Path: string; Rate: number }[]> => ({
  kind: "list",
  usage,
  defaultText: "[]",
  initial: () => [],
  set: (value, previous) => {
    const [path, text] = devicePath(value);
    return [...previous, { Path: path, Rate: unit === "bytes" ? bytesRate(value, text) : operationsRate(value, text) }];
  },
});

function bytesRate(value: string, text: string): number {
  try {
    return parseMemoryBytes(text);
  } catch {
    throw new Error(
      `invalid rate for device: ${value}. The correct format is <device-path>:<number>[<unit>]. Number must be a positive integer. Unit is optional and can be kb, mb, or gb`,
    );
  }
}

function operationsRate(value: string, text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new Error(`invalid rate for device: ${value}. The correct format is <device-path>:<number>. Number must be a positive integer`);
}

function devicePath(value: string): [path: string, rest: string] {
  const [path, rest] = cut(value, ":");
  if (rest === undefined || path === "") throw new Error(`bad format: ${value}`);
  if (!path.startsWith("/dev/")) throw new Error(`bad format for device path: ${value}`);
  return [path, rest];
}

export interface DeviceRequest {
  readonly Driver: string;
  readonly Count: number;
  readonly DeviceIDs: readonly string[] | null;
  readonly Capabilities: readonly (readonly string[])[] | null;
  readonly Options: Readonly<Record<string, string>> | null;
}

export const gpusFlag = (usage: string): Flag<readonly DeviceRequest[]> => ({
  kind: "gpu-request",
  usage,
  initial: () => [],
  set: (value, previous) => [...previous, parseGpus(value)],
});

function parseGpus(value: string): DeviceRequest {
  let count: number | undefined;
  let driver = "";
  let deviceIds: readonly string[] | null = null;
  let capabilities: readonly string[] = [];
  let options: Readonly<Record<string, string>> = {};
  const seen = new Set<string>();
  for (const field of parseCsv(value)) {
    const [key, entry] = cut(field, "=");
    const name = entry === undefined ? "count" : key;
    if (seen.has(name)) throw new Error(`gpu request key '${name}' can be specified only once`);
    seen.add(name);
    const text = entry ?? key;
    if (name === "count") count = parseCount(text);
    else if (name === "driver") driver = text;
    else if (name === "device") deviceIds = text.split(",");
    else if (name === "capabilities") capabilities = text.split(",");
    else if (name === "options") options = Object.fromEntries(parseCsv(text).map((one) => [cut(one, "=")[0], cut(one, "=")[1] ?? ""]));
    else throw new Error(`unexpected key '${name}' in '${field}'`);
  }
  const all = capabilities.includes("gpu") ? capabilities : [...capabilities, "gpu"];
  return { Driver: driver, Count: count ?? (deviceIds === null ? 1 : 0), DeviceIDs: deviceIds, Capabilities: [all], Options: options };
}

function parseCount(text: string): number {
  if (text === "all") return -1;
  if (!/^-?\d+$/.test(text)) throw new Error(`invalid count (${text}): value must be either "all" or an integer: invalid syntax`);
  return Number(text);
}
