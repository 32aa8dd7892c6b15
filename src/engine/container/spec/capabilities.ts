import { EngineError } from "#lib/errors.ts";

/** All capabilities in the order of their numbers. Source: capabilities(7), linux/capability.h. */
export const allCapabilities = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_DAC_READ_SEARCH",
  "CAP_FOWNER",
  "CAP_FSETID",
  "CAP_KILL",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETPCAP",
  "CAP_LINUX_IMMUTABLE",
  "CAP_NET_BIND_SERVICE",
  "CAP_NET_BROADCAST",
  "CAP_NET_ADMIN",
  "CAP_NET_RAW",
  "CAP_IPC_LOCK",
  "CAP_IPC_OWNER",
  "CAP_SYS_MODULE",
  "CAP_SYS_RAWIO",
  "CAP_SYS_CHROOT",
  "CAP_SYS_PTRACE",
  "CAP_SYS_PACCT",
  "CAP_SYS_ADMIN",
  "CAP_SYS_BOOT",
  "CAP_SYS_NICE",
  "CAP_SYS_RESOURCE",
  "CAP_SYS_TIME",
  "CAP_SYS_TTY_CONFIG",
  "CAP_MKNOD",
  "CAP_LEASE",
  "CAP_AUDIT_WRITE",
  "CAP_AUDIT_CONTROL",
  "CAP_SETFCAP",
  "CAP_MAC_OVERRIDE",
  "CAP_MAC_ADMIN",
  "CAP_SYSLOG",
  "CAP_WAKE_ALARM",
  "CAP_BLOCK_SUSPEND",
  "CAP_AUDIT_READ",
  "CAP_PERFMON",
  "CAP_BPF",
  "CAP_CHECKPOINT_RESTORE",
] as const;

/** What a container gets when nothing is added or dropped: 0xa80425fb. */
export const defaultCapabilities: readonly string[] = [
  "CAP_CHOWN",
  "CAP_DAC_OVERRIDE",
  "CAP_FSETID",
  "CAP_FOWNER",
  "CAP_MKNOD",
  "CAP_NET_RAW",
  "CAP_SETGID",
  "CAP_SETUID",
  "CAP_SETFCAP",
  "CAP_SETPCAP",
  "CAP_NET_BIND_SERVICE",
  "CAP_SYS_CHROOT",
  "CAP_KILL",
  "CAP_AUDIT_WRITE",
];

/** Names of the bits of a mask such as CapBnd of /proc/self/status: what this daemon has, and so can give. */
export function capabilitiesOfMask(mask: bigint): string[] {
  return allCapabilities.filter((_name, bit) => (mask >> BigInt(bit)) & 1n);
}

/**
 * The set a container gets.
 * @param available  what the daemon itself has; more cannot be given, and privileged means all of it
 * @throws {EngineError} `invalid` for an unknown name
 */
export function containerCapabilities(
  request: { readonly privileged: boolean; readonly add: readonly string[]; readonly drop: readonly string[] },
  available: readonly string[],
): string[] {
  const add = request.add.map((name) => parseCapability("CapAdd", name));
  const drop = request.drop.map((name) => parseCapability("CapDrop", name));
  if (request.privileged) return [...available];
  const base = drop.includes("ALL") ? [] : add.includes("ALL") ? available : defaultCapabilities;
  const named = add.filter((name) => name !== "ALL");
  const wanted = new Set([...base, ...named].filter((name) => drop.includes("ALL") || !drop.includes(name)));
  if (drop.includes("ALL") && add.includes("ALL")) for (const name of available) wanted.add(name);
  return [...wanted].filter((name) => available.includes(name));
}

function parseCapability(field: "CapAdd" | "CapDrop", text: string): string {
  const upper = text.toUpperCase();
  if (upper === "ALL") return upper;
  const name = upper.startsWith("CAP_") ? upper : `CAP_${upper}`;
  if (!(allCapabilities as readonly string[]).includes(name))
    throw new EngineError("invalid", `invalid ${field}: unknown capability: ${JSON.stringify(name)}`);
  return name;
}
