import { closeSync, constants, statSync } from "node:fs";
import { dirname } from "node:path";
import { ConfinedDirectory } from "#os/confined.ts";
import { attachMount, cloneMount, cloneMountOfProcess, makeMountReadOnly } from "#os/detached-tree.ts";
import { SystemError } from "#os/libc.ts";
import { makeFolderInRoot, openInRoot } from "#os/open-in-root.ts";
import { attachPrivately } from "#os/private-mounts.ts";
import { EngineError } from "#lib/errors.ts";
import { makeMountPoints } from "../snapshot/init-files.ts";
import type { TreeMount, TreeRequest } from "./protocol.ts";

const O_PATH = 0o10000000;

/**
 * What a container sees, as a private tree of mounts: the root file system with volumes, binds and, of a container that runs, its tmpfs. The
 * same before, during and after a run; gone when the descriptor is closed, or with this process.
 * @returns the descriptor of its root; the caller closes it
 */
export function openContainerTree(request: TreeRequest, place: "nowhere" | "namespace" = "nowhere"): number {
  try {
    return buildTree(request, place);
  } catch (error) {
    // Before Linux 6.15 nothing can be mounted on a tree that is attached nowhere.
    const isRefused = error instanceof SystemError && error.code === "EINVAL" && request.mounts.length > 0;
    if (place === "namespace" || !isRefused) throw error;
    return buildTree(request, "namespace");
  }
}

let isSpent = false;

/** This process has a mount namespace of its own, made for one request: it cannot carry out another. */
export function isNamespaceSpent(): boolean {
  return isSpent;
}

function buildTree(request: TreeRequest, place: "nowhere" | "namespace"): number {
  const tree = cloneMount(request.rootfs, { recursive: false });
  try {
    makeMountPoints(tree);
    if (place === "namespace") {
      isSpent = true;
      attachPrivately(tree, request.rootfs, dirname(dirname(request.rootfs)));
    }
    for (const mount of request.mounts) attach(tree, mount, request.process);
    // Last: mount points were made in it.
    if (request.readOnly) makeMountReadOnly(tree, { recursive: false });
    return tree;
  } catch (error) {
    closeSync(tree);
    throw error;
  }
}

function attach(tree: number, mount: TreeMount, process: TreeRequest["process"]): void {
  const clone = cloneOf(mount, process);
  if (clone === undefined) return;
  try {
    if (!mount.writable) makeMountReadOnly(clone, { recursive: mount.readOnlyRecursive });
    const place = openMountPoint(tree, mount);
    try {
      attachMount(clone, place, mount.destination);
    } finally {
      closeSync(place);
    }
  } finally {
    closeSync(clone);
  }
}

function cloneOf({ source, destination, recursive, optional }: TreeMount, process: TreeRequest["process"]): number | undefined {
  if (source === undefined) return process && cloneMountOfProcess(process, destination);
  try {
    return cloneMount(source, { recursive });
  } catch (error) {
    if (!(error instanceof SystemError && error.code === "ENOENT")) throw error;
    if (optional) return undefined;
    throw new EngineError("not_found", `mount source ${source} does not exist`, { cause: error });
  }
}

/** As a start would make it. */
function openMountPoint(tree: number, { source, destination }: TreeMount): number {
  try {
    return openInRoot(tree, destination, O_PATH);
  } catch (error) {
    if (!(error instanceof SystemError && error.code === "ENOENT")) throw error;
  }
  if (source === undefined || statSync(source).isDirectory()) makeFolderInRoot(tree, destination, 0o755);
  else makeFileInRoot(tree, destination);
  return openInRoot(tree, destination, O_PATH);
}

function makeFileInRoot(tree: number, path: string): void {
  const slash = path.lastIndexOf("/");
  const folder = path.slice(0, slash + 1);
  makeFolderInRoot(tree, folder, 0o755);
  using parent = ConfinedDirectory.fromDescriptor(openInRoot(tree, folder, constants.O_RDONLY | constants.O_DIRECTORY));
  closeSync(parent.createFile(Buffer.from(path.slice(slash + 1)).toString("latin1")));
}
