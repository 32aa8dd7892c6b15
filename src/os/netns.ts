import { closeSync, openSync, readdirSync, rmSync } from "node:fs";
import { check, cString, libc } from "./libc.ts";
import type { Kernel } from "./kernel.ts";

const CLONE_NEWNET = 0x40000000;
const MS_BIND = 4096;
const O_RDONLY = 0;
const O_WRONLY = 1;
const O_CLOEXEC = 0o2000000;
const NSFS_MAGIC = 0x6e736673;
const statfsSize = 120;

/** One of the kernel's settings: path below /proc/sys, with slashes. */
export interface Sysctl {
  readonly path: string;
  readonly value: string;
}

let hostNamespace: number | undefined;

/** Descriptor of the namespace the process started in, opened once and kept: the way back out of every window. */
function hostNamespaceDescriptor(): number {
  hostNamespace ??= openSync("/proc/thread-self/ns/net", "r");
  return hostNamespace;
}

/**
 * Makes a network namespace, sets `sysctls` there and calls `inside` while the thread is in it. What `inside` opens (sockets) belongs to
 * the new namespace, which is gone when its descriptor and those sockets are closed, unless it was given a name.
 * `inside` may only make system calls: a thread that Bun starts meanwhile would be born in the namespace and pin it.
 */
export function createNetworkNamespace<T>(sysctls: readonly Sysctl[], inside: () => T): { readonly descriptor: number; readonly made: T } {
  const host = hostNamespaceDescriptor();
  const own = cString("/proc/thread-self/ns/net");
  const settings = sysctls.map(encodeSysctl);
  let descriptor: number | undefined;
  check(libc.unshare(CLONE_NEWNET), "make network namespace");
  try {
    descriptor = check(libc.open(own, O_RDONLY | O_CLOEXEC, 0), "open network namespace");
    settings.forEach(writeEncodedSysctl);
    return { descriptor, made: inside() };
  } catch (error) {
    if (descriptor !== undefined) libc.close(descriptor);
    throw error;
  } finally {
    check(libc.setns(host, CLONE_NEWNET), "return to the host's network namespace");
  }
}

/** Gives a namespace a name on disk, which keeps it. The file must not exist. On an error the file is gone. */
export function nameNetworkNamespace(descriptor: number, path: string): void {
  const [source, target, none] = [cString(`/proc/self/fd/${descriptor}`), cString(path), cString("")];
  closeSync(openSync(path, "wx", 0o444));
  try {
    check(libc.mount(source, target, none, MS_BIND, none), `bind network namespace at ${path}`);
  } catch (error) {
    rmSync(path, { force: true });
    throw error;
  }
}

/** Calls `inside` while the thread is in the namespace; the same rule holds: system calls only. @throws when the file is no namespace */
export function inNetworkNamespace<T>(path: string, inside: () => T): T {
  const host = hostNamespaceDescriptor();
  const namespace = openSync(path, "r");
  try {
    check(libc.setns(namespace, CLONE_NEWNET), `enter network namespace ${path}`);
    try {
      return inside();
    } finally {
      check(libc.setns(host, CLONE_NEWNET), "return to the host's network namespace");
    }
  } finally {
    closeSync(namespace);
  }
}

/** Sets kernel settings inside a namespace. */
export function setNamespaceSysctls(path: string, sysctls: readonly Sysctl[]): void {
  if (sysctls.length === 0) return;
  const settings = sysctls.map(encodeSysctl);
  inNetworkNamespace(path, () => settings.forEach(writeEncodedSysctl));
}

/** Takes the name away; the kernel frees namespace and links once the last process has left. Gone already is a success. */
export async function removeNetworkNamespace(kernel: Kernel, path: string): Promise<void> {
  await kernel.run({ type: "umount", target: path });
  rmSync(path, { force: true });
}

/** True while a namespace is mounted on the file: after a reboot only the empty file, or nothing, is left. */
export function isNetworkNamespace(path: string): boolean {
  const [name, buffer] = [cString(path), Buffer.alloc(statfsSize)];
  return libc.statfs(name, buffer) === 0 && buffer.readUInt32LE(0) === NSFS_MAGIC;
}

/** Names in a folder of namespaces; none when there is no folder. */
export function listNetworkNamespaces(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return [];
    throw error;
  }
}

interface EncodedSysctl {
  readonly path: string;
  readonly file: Buffer;
  readonly value: Buffer;
}

function encodeSysctl({ path, value }: Sysctl): EncodedSysctl {
  return { path, file: cString(`/proc/sys/${path}`), value: Buffer.from(value) };
}

/** By system calls, since it runs inside a window. */
function writeEncodedSysctl({ path, file, value }: EncodedSysctl): void {
  const descriptor = check(libc.open(file, O_WRONLY | O_CLOEXEC, 0), `open sysctl ${path}`);
  try {
    check(libc.write(descriptor, value, value.length), `write sysctl ${path}`);
  } finally {
    libc.close(descriptor);
  }
}
