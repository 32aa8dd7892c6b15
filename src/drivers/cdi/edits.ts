import { statSync } from "node:fs";
import { EngineError } from "#lib/errors.ts";
import { deviceNumbers } from "#lib/device-numbers.ts";
import type { RuntimeDevice, RuntimeDeviceRule, RuntimeHook, RuntimeMount, RuntimeSpec } from "#types/oci/runtime-spec.ts";
import { hookNames, type CdiDeviceNode, type CdiHook, type CdiMount, type ContainerEdits } from "./spec-file.ts";

/** A runtime configuration with edits, the later ones on top. Source: Container Device Interface specification, "OCI edits". */
export function applyEdits(spec: RuntimeSpec, edits: readonly ContainerEdits[]): RuntimeSpec {
  const { user } = spec.process;
  const nodes = edits.flatMap(({ deviceNodes }) => deviceNodes.map((node) => resolveNode(node, user)));
  const gids = edits.flatMap(({ additionalGids }) => additionalGids).filter((gid) => gid !== 0);
  const hooks = edits.flatMap((one) => one.hooks);
  return {
    ...spec,
    process: {
      ...spec.process,
      env: withVariables(
        spec.process.env,
        edits.flatMap(({ env }) => env),
      ),
      user: { ...user, additionalGids: [...new Set([...(user.additionalGids ?? []), ...gids])] },
    },
    mounts: withMounts(
      spec.mounts,
      edits.flatMap(({ mounts }) => mounts),
    ),
    ...(hooks.length > 0 && { hooks: toHooks(hooks) }),
    linux: {
      ...spec.linux,
      devices: lastOfEach([...(spec.linux.devices ?? []), ...nodes.map(({ device }) => device)], ({ path }) => path),
      resources: {
        ...spec.linux.resources,
        devices: [...spec.linux.resources.devices, ...nodes.flatMap(({ rule }) => (rule ? [rule] : []))],
      },
    },
  };
}

function withVariables(before: readonly string[], added: readonly string[]): string[] {
  const nameOf = (entry: string): string => entry.slice(0, entry.indexOf("="));
  const names = new Set(added.map(nameOf));
  return [...before.filter((entry) => !names.has(nameOf(entry))), ...lastOfEach(added, nameOf)];
}

/** A mount replaces what was at its place; those above come before those below. */
function withMounts(before: readonly RuntimeMount[], added: readonly CdiMount[]): RuntimeMount[] {
  if (added.length === 0) return [...before];
  const depth = ({ destination }: RuntimeMount): number => destination.split("/").filter(Boolean).length;
  const all = lastOfEach([...before, ...added.map(toRuntimeMount)], ({ destination }) => destination);
  return all.toSorted((one, other) => depth(one) - depth(other));
}

function toRuntimeMount({ hostPath, containerPath, type, options }: CdiMount): RuntimeMount {
  const isBind = options.includes("bind") || options.includes("rbind");
  return {
    source: hostPath,
    destination: containerPath,
    type: type ?? "bind",
    options: type === undefined && !isBind ? [...options, "bind"] : options,
  };
}

function toHooks(hooks: readonly CdiHook[]): NonNullable<RuntimeSpec["hooks"]> {
  const of = (name: string): RuntimeHook[] =>
    hooks
      .filter((hook) => hook.name === name)
      .map(({ path, args, env, timeoutSeconds }) => ({
        path,
        ...(args.length > 0 && { args }),
        ...(env.length > 0 && { env }),
        ...(timeoutSeconds !== undefined && { timeout: timeoutSeconds }),
      }));
  return Object.fromEntries(hookNames.map((name) => [name, of(name)] as const).filter(([, list]) => list.length > 0));
}

/** What a file leaves out is the host's device's. A node belongs to the container's user. */
function resolveNode(
  node: CdiDeviceNode,
  user: { readonly uid: number; readonly gid: number },
): { readonly device: RuntimeDevice; readonly rule: RuntimeDeviceRule | undefined } {
  const isComplete = node.type === "p" || (node.type !== undefined && (node.major ?? 0) !== 0);
  const { type, major, minor } = isComplete
    ? { type: node.type, major: node.major ?? 0, minor: node.minor ?? 0 }
    : readHostDevice(node.hostPath ?? node.path, node.type);
  const { path, uid = user.uid, gid = user.gid, fileMode = 0o666, permissions = "rwm" } = node;
  return {
    device: { path, type, major, minor, fileMode, uid, gid },
    rule: type === "b" || type === "c" ? { allow: true, type, major, minor, access: permissions } : undefined,
  };
}

function readHostDevice(path: string, wanted: RuntimeDevice["type"] | undefined): Pick<RuntimeDevice, "type" | "major" | "minor"> {
  const fail = (why: string): EngineError => new EngineError("invalid", `failed to stat CDI host device ${JSON.stringify(path)}: ${why}`);
  let stat;
  try {
    stat = statSync(path);
  } catch (error) {
    throw new EngineError("invalid", fail("no such file or directory").message, { cause: error });
  }
  const type = stat.isBlockDevice() ? "b" : stat.isCharacterDevice() ? "c" : stat.isFIFO() ? "p" : undefined;
  if (type === undefined) throw fail("not a device node");
  // `u` is another word for `c`.
  if (wanted !== undefined && (wanted === "u" ? "c" : wanted) !== type)
    throw new EngineError("invalid", `CDI device ${JSON.stringify(path)}, host type mismatch (${wanted}, ${type})`);
  return { type, ...deviceNumbers(stat.rdev) };
}

function lastOfEach<T>(values: readonly T[], keyOf: (value: T) => string): T[] {
  const last = new Map(values.map((value) => [keyOf(value), value]));
  return values.filter((value) => last.get(keyOf(value)) === value);
}
