import { lstatSync, readdirSync, realpathSync } from "node:fs";
import { join } from "node:path";
import { EngineError } from "#lib/errors.ts";
import { deviceNumbers } from "#lib/device-numbers.ts";
import type { RuntimeDevice, RuntimeDeviceRule } from "#types/oci/runtime-spec.ts";

/** Devices every container may use; the runtime makes their nodes. Source: OCI runtime-spec, config-linux.md, "Default Devices". */
const defaultRules: readonly RuntimeDeviceRule[] = [
  { allow: false, access: "rwm" },
  ...[
    [1, 3], // null
    [1, 5], // zero
    [1, 7], // full
    [1, 8], // random
    [1, 9], // urandom
    [5, 0], // tty
    [5, 1], // console
  ].map(([major = 0, minor = 0]) => ({ allow: true, type: "c" as const, major, minor, access: "rwm" })),
];

export interface DeviceRequest {
  readonly PathOnHost?: string;
  readonly PathInContainer?: string;
  readonly CgroupPermissions?: string;
}

export interface ContainerDevices {
  readonly nodes: readonly RuntimeDevice[];
  readonly rules: readonly RuntimeDeviceRule[];
}

/** Nodes and rules of a container that is not privileged. A folder means every device below it. */
export function containerDevices(requests: readonly DeviceRequest[], extraRules: readonly string[]): ContainerDevices {
  const devices = requests.flatMap(resolveDevice);
  return {
    nodes: devices.map(({ node }) => node),
    rules: [...defaultRules, ...devices.map(({ rule }) => rule), ...extraRules.map(parseDeviceRule)],
  };
}

/** All devices of the host, as privileged containers get them. */
export function hostDevices(): ContainerDevices {
  return { nodes: listDevices("/dev", "/dev"), rules: [{ allow: true, access: "rwm" }] };
}

function resolveDevice(request: DeviceRequest): { node: RuntimeDevice; rule: RuntimeDeviceRule }[] {
  const source = request.PathOnHost ?? "";
  const target = request.PathInContainer || source;
  const access = request.CgroupPermissions || "rwm";
  if (!/^[rwm]{1,3}$/.test(access)) throw new EngineError("invalid", `invalid device mode: ${access}`);
  let nodes: RuntimeDevice[];
  try {
    const real = realpathSync(source);
    nodes = lstatSync(real).isDirectory() ? listDevices(real, target) : [readDevice(real, target)].filter((node) => node !== undefined);
  } catch (error) {
    throw new EngineError(
      "invalid",
      `error gathering device information while adding custom device ${JSON.stringify(source)}: no such file or directory`,
      {
        cause: error,
      },
    );
  }
  if (nodes.length === 0) {
    throw new EngineError(
      "invalid",
      `error gathering device information while adding custom device ${JSON.stringify(source)}: not a device node`,
    );
  }
  return nodes.map((node) => ({
    node,
    rule: { allow: true, type: node.type === "b" ? ("b" as const) : ("c" as const), major: node.major, minor: node.minor, access },
  }));
}

/** Folders that hold other file systems or links to them. */
const skippedFolders = new Set(["pts", "shm", "fd", "mqueue", "console", ".lxc", ".lxd-mounts", ".udev"]);

function listDevices(folder: string, target: string): RuntimeDevice[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (skippedFolders.has(entry.name)) return [];
    if (entry.isDirectory()) return listDevices(join(folder, entry.name), join(target, entry.name));
    const device =
      entry.isCharacterDevice() || entry.isBlockDevice() ? readDevice(join(folder, entry.name), join(target, entry.name)) : undefined;
    return device ? [device] : [];
  });
}

function readDevice(path: string, target: string): RuntimeDevice | undefined {
  const stat = lstatSync(path);
  if (!stat.isCharacterDevice() && !stat.isBlockDevice()) return undefined;
  const { major, minor } = deviceNumbers(stat.rdev);
  return {
    path: target,
    type: stat.isBlockDevice() ? "b" : "c",
    major,
    minor,
    fileMode: stat.mode & 0o777,
    uid: stat.uid,
    gid: stat.gid,
  };
}

/** A rule such as `c 1:3 mr`. Source: Engine API, DeviceCgroupRules. */
function parseDeviceRule(text: string): RuntimeDeviceRule {
  const match = /^([acb]) (\d+|\*):(\d+|\*) ([rwm]{1,3})$/.exec(text);
  if (!match) throw new EngineError("invalid", `invalid device cgroup rule format: '${text}'`);
  const [, type, major, minor, access = "rwm"] = match;
  return {
    allow: true,
    type: type as "a" | "c" | "b",
    ...(major !== "*" && { major: Number(major) }),
    ...(minor !== "*" && { minor: Number(minor) }),
    access,
  };
}
