import { existsSync, readFileSync } from "node:fs";
import { backingFileSystem, freeBytes } from "#os/file-system.ts";
import type { Check } from "./check.ts";
import { existingFolder } from "./existing-folder.ts";

const gibibyte = 2 ** 30;
const enoughDiskBytes = 5 * gibibyte;

/** Capabilities that a daemon of full rights has, with their bits. Source: linux/capability.h. */
const capabilities: Readonly<Record<string, number>> = {
  CAP_CHOWN: 0,
  CAP_DAC_OVERRIDE: 1,
  CAP_FOWNER: 3,
  CAP_KILL: 5,
  CAP_SETGID: 6,
  CAP_SETUID: 7,
  CAP_SETPCAP: 8,
  CAP_NET_ADMIN: 12,
  CAP_SYS_CHROOT: 18,
  CAP_SYS_ADMIN: 21,
  CAP_SYS_RESOURCE: 24,
  CAP_MKNOD: 27,
  CAP_AUDIT_WRITE: 29,
  CAP_SETFCAP: 31,
};
/** Containers work without these, with less. */
const dispensable: Readonly<Record<string, string>> = {
  CAP_SYS_RESOURCE: "limits cannot be raised above the daemon's own",
  CAP_AUDIT_WRITE: "containers have it neither",
  CAP_MKNOD: "containers have it neither",
};

/** Rights, and what the host is set to. */
export function checkHost(dataRoot: string): Check[] {
  return [...checkRights(), checkForwarding(), checkDisk(dataRoot), checkUserNamespaces(), ...securityModules()];
}

function checkRights(): Check[] {
  if (process.getuid?.() !== 0)
    return [{ name: "root", status: "missing", detail: "the daemon needs root", advice: "Run it as root, or with sudo" }];
  const mask = BigInt(`0x${/^CapBnd:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0"}`);
  const absent = Object.entries(capabilities).filter(([, bit]) => ((mask >> BigInt(bit)) & 1n) === 0n);
  if (absent.length === 0) return [{ name: "capabilities", status: "ok", detail: "all that are needed" }];
  return absent.map(([name]): Check => {
    const loss = dispensable[name];
    if (loss !== undefined)
      return {
        name,
        status: "warn",
        detail: `missing: ${loss}`,
        advice: "Give it to the service or virtual machine that starts the daemon",
      };
    return {
      name,
      status: "missing",
      detail: "missing: containers cannot run",
      advice: "Give it to the service or virtual machine that starts the daemon",
    };
  });
}

function checkForwarding(): Check {
  const on = read("/proc/sys/net/ipv4/ip_forward") === "1";
  // Everybody else's packets stay unforwarded then: drivers/network/README.md.
  return { name: "ip_forward", status: on ? "ok" : "info", detail: on ? "on" : "off: the daemon switches it on for containers alone" };
}

function checkDisk(dataRoot: string): Check {
  const folder = existingFolder(dataRoot);
  const { availableBytes } = freeBytes(folder);
  const detail = `${(availableBytes / gibibyte).toFixed(1)} GiB free for ${dataRoot} (${backingFileSystem(folder)})`;
  if (availableBytes >= enoughDiskBytes) return { name: "disk", status: "ok", detail };
  return { name: "disk", status: "warn", detail, advice: "Free some space, or name another folder with --data-root" };
}

function checkUserNamespaces(): Check {
  const maximum = Number(read("/proc/sys/user/max_user_namespaces") ?? "0");
  return { name: "user namespaces", status: "info", detail: maximum > 0 ? `at most ${maximum}` : "switched off" };
}

function securityModules(): Check[] {
  const modules = read("/sys/kernel/security/lsm")?.split(",") ?? [];
  const appArmor = read("/sys/module/apparmor/parameters/enabled") === "Y";
  const seLinux = existsSync("/sys/fs/selinux/enforce");
  return [
    { name: "AppArmor", status: "info", detail: appArmor ? "on" : "off" },
    { name: "SELinux", status: "info", detail: seLinux ? (read("/sys/fs/selinux/enforce") === "1" ? "enforcing" : "permissive") : "off" },
    ...(modules.length > 0 ? [{ name: "security modules", status: "info", detail: modules.join(", ") } as const] : []),
  ];
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined; // not on this kernel
  }
}
