import { EngineError } from "#lib/errors.ts";

/** What a device, or a whole file, changes of a container. Source: Container Device Interface specification, "Container edits". */
export interface ContainerEdits {
  /** `NAME=VALUE` */
  readonly env: readonly string[];
  readonly deviceNodes: readonly CdiDeviceNode[];
  readonly mounts: readonly CdiMount[];
  readonly hooks: readonly CdiHook[];
  readonly additionalGids: readonly number[];
}

export interface CdiDeviceNode {
  readonly path: string;
  readonly hostPath?: string;
  readonly type?: "c" | "b" | "p" | "u";
  readonly major?: number;
  readonly minor?: number;
  readonly fileMode?: number;
  readonly permissions?: string;
  readonly uid?: number;
  readonly gid?: number;
}

export interface CdiMount {
  readonly hostPath: string;
  readonly containerPath: string;
  readonly type?: string;
  readonly options: readonly string[];
}

export const hookNames = ["prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop"] as const;
export type HookName = (typeof hookNames)[number];

export interface CdiHook {
  readonly name: HookName;
  readonly path: string;
  readonly args: readonly string[];
  readonly env: readonly string[];
  readonly timeoutSeconds?: number;
}

export interface CdiSpec {
  /** `vendor/class` */
  readonly kind: string;
  readonly edits: ContainerEdits;
  readonly devices: ReadonlyMap<string, ContainerEdits>;
}

/** Reads what stands in one file. @throws {EngineError} `invalid` with what is wrong */
export function parseCdiSpec(value: unknown): CdiSpec {
  const spec = object(value, "the file");
  const version = text(spec, "cdiVersion");
  if (!/^v?(0\.[3-9]|1\.\d+)\.\d+$/.test(version)) throw invalid(`unknown version ${JSON.stringify(version)}`);
  const kind = parseKind(text(spec, "kind"));
  const devices = new Map<string, ContainerEdits>();
  for (const entry of list(spec, "devices").map((device) => object(device, "a device"))) {
    const name = text(entry, "name");
    if (!/^[A-Za-z0-9]([A-Za-z0-9_.:-]*[A-Za-z0-9])?$/.test(name)) throw invalid(`invalid name of a device ${JSON.stringify(name)}`);
    if (devices.has(name)) throw invalid(`several devices ${name}`);
    devices.set(name, parseEdits(entry["containerEdits"]));
  }
  if (devices.size === 0) throw invalid("no devices");
  return { kind, edits: parseEdits(spec["containerEdits"]), devices };
}

function parseKind(kind: string): string {
  const [vendor = "", className = "", ...rest] = kind.split("/");
  if (rest.length > 0 || !isName(vendor, "_.-") || !isName(className, "_-")) throw invalid(`invalid kind ${JSON.stringify(kind)}`);
  return kind;
}

/** A letter, then letters, digits and what is named; a letter or a digit at the end. */
function isName(name: string, others: string): boolean {
  return new RegExp(`^[A-Za-z]([A-Za-z0-9${others}]*[A-Za-z0-9])?$`).test(name);
}

function parseEdits(value: unknown): ContainerEdits {
  const edits = object(value ?? {}, "containerEdits");
  for (const field of ["intelRdt", "netDevices"]) if (edits[field] !== undefined) throw invalid(`${field} is not supported`);
  return {
    env: list(edits, "env").map(parseVariable),
    deviceNodes: list(edits, "deviceNodes").map((node) => parseDeviceNode(object(node, "a device node"))),
    mounts: list(edits, "mounts").map((mount) => parseMount(object(mount, "a mount"))),
    hooks: list(edits, "hooks").map((hook) => parseHook(object(hook, "a hook"))),
    additionalGids: list(edits, "additionalGids").map((gid) => {
      if (typeof gid !== "number") throw invalid("a group that is no number");
      return gid;
    }),
  };
}

function parseVariable(entry: unknown): string {
  if (typeof entry !== "string" || !/^[^=]+=/.test(entry)) throw invalid(`invalid environment variable ${JSON.stringify(entry)}`);
  return entry;
}

const numberFields = ["major", "minor", "fileMode", "uid", "gid"] as const;

function parseDeviceNode(node: Readonly<Record<string, unknown>>): CdiDeviceNode {
  const [path, hostPath, type, permissions] = [
    text(node, "path"),
    optionalText(node, "hostPath"),
    optionalText(node, "type"),
    optionalText(node, "permissions"),
  ];
  if (path === "") throw invalid("a device node without a path");
  if (type !== undefined && !isDeviceType(type)) throw invalid(`invalid type ${JSON.stringify(type)} of the device node ${path}`);
  if (permissions !== undefined && !/^[rwm]+$/.test(permissions))
    throw invalid(`invalid permissions ${JSON.stringify(permissions)} of the device node ${path}`);
  return {
    path,
    ...(hostPath !== undefined && { hostPath }),
    ...(type !== undefined && { type }),
    ...(permissions !== undefined && { permissions }),
    ...Object.fromEntries(numberFields.flatMap((field) => (typeof node[field] === "number" ? [[field, node[field]]] : []))),
  };
}

const isDeviceType = (type: string): type is "c" | "b" | "p" | "u" => /^[cbpu]$/.test(type);

function parseMount(mount: Readonly<Record<string, unknown>>): CdiMount {
  const type = optionalText(mount, "type");
  const [hostPath, containerPath] = [text(mount, "hostPath"), text(mount, "containerPath")];
  if (hostPath === "" || containerPath === "") throw invalid("a mount without hostPath or containerPath");
  return { hostPath, containerPath, options: list(mount, "options").map(String), ...(type !== undefined && { type }) };
}

function parseHook(hook: Readonly<Record<string, unknown>>): CdiHook {
  const wanted = text(hook, "hookName");
  const name = hookNames.find((known) => known === wanted);
  if (name === undefined) throw invalid(`invalid hook name ${JSON.stringify(wanted)}`);
  const { timeout } = hook;
  const path = text(hook, "path");
  if (path === "") throw invalid(`a hook ${name} without a path`);
  return {
    name,
    path,
    args: list(hook, "args").map(String),
    env: list(hook, "env").map(parseVariable),
    ...(typeof timeout === "number" && { timeoutSeconds: timeout }),
  };
}

const invalid = (what: string): EngineError => new EngineError("invalid", `invalid CDI Spec: ${what}`);

function object(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw invalid(`${what} is no object`);
  return Object.fromEntries(Object.entries(value));
}

function list(of: Readonly<Record<string, unknown>>, field: string): readonly unknown[] {
  const value = of[field] ?? [];
  if (!Array.isArray(value)) throw invalid(`${field} is no list`);
  return value;
}

function text(of: Readonly<Record<string, unknown>>, field: string): string {
  return optionalText(of, field) ?? "";
}

function optionalText(of: Readonly<Record<string, unknown>>, field: string): string | undefined {
  const value = of[field];
  if (value === undefined || value === null) return undefined;
  if (typeof value !== "string") throw invalid(`${field} is no text`);
  return value;
}
