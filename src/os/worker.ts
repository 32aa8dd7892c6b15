/// Entry of the kernel worker: calls that may wait, one after the other in the order they came.
import { closeSync, openSync, writeSync } from "node:fs";
import { messageOf } from "#lib/errors.ts";
import { removeCgroup } from "./cgroup.ts";
import { mountErofsLayer, replaceErofsLayer } from "./erofs-layer.ts";
import type { KernelReply, KernelRequest, KernelTask } from "./kernel-protocol.ts";
import { SystemError } from "./libc.ts";
import { mountFile } from "./loop.ts";
import { bindMount, mountWithPropagation, unmount } from "./mount.ts";
import { removeLink } from "./netlink/link.ts";
import { RouteSocket } from "./netlink/route-socket.ts";
import { limitFolder, projectQuotaLack, refuseUsedProject, releaseFolder } from "./project-quota.ts";
import { collectWhenIdle } from "./process/when-idle.ts";
import { removeTree } from "./remove-tree.ts";
import { attachSubpath, detach } from "./subpath.ts";

declare const self: Worker;

function run(task: KernelTask): void {
  switch (task.type) {
    case "umount":
      return unmount(task.target);
    case "remove-link":
      return removeLinkByName(task.name);
    case "remove-tree":
      return removeTree(task.path);
    case "remove-cgroup":
      return removeCgroupPatiently(task.path);
    case "mount-erofs":
      return mountErofsLayer(task);
    case "replace-erofs":
      return replaceErofsLayer(task);
    case "mount-file":
      return mountFile(task.file, task.target, task.fileSystem, task.options);
    case "bind-mount":
      return bindMount(task.source, task.target, task.readOnly);
    case "mount":
      return mountWithPropagation(task);
    case "attach-subpath":
      return attachSubpath(task.root, task.path, task.target);
    case "detach":
      return detach(task.target);
    case "limit-folder":
      return limitFolder(task.folder, task.projectId, task.sizeBytes);
    case "release-folder":
      return releaseFolder(task.folder, task.projects);
    case "refuse-used-project":
      return refuseUsedProject(task.folder, task.projectId);
    case "probe-project-quota":
      return refuseLack(projectQuotaLack(task.folder, task.projectId));
    case "warm-cgroup":
      return keepMoving(task.procsFile, task.milliseconds, task.pauseMilliseconds);
  }
}

function removeLinkByName(name: string): void {
  using route = new RouteSocket();
  try {
    route.apply(removeLink(name));
  } catch (error) {
    if (!(error instanceof SystemError && error.code === "ENODEV")) throw error;
  }
}

function refuseLack(lack: string | undefined): void {
  if (lack !== undefined) throw new Error(lack);
}

/** Moves this process to where it is, again and again. */
function keepMoving(procsFile: string, milliseconds: number, pauseMilliseconds: number): void {
  const end = performance.now() + milliseconds;
  const file = openSync(procsFile, "w");
  try {
    do {
      writeSync(file, "0");
      pause(pauseMilliseconds);
    } while (performance.now() < end);
  } finally {
    closeSync(file);
  }
}

/** The last process of a cgroup may still be on its way out when its exit is known. */
function removeCgroupPatiently(path: string): void {
  for (let attempt = 0; ; attempt++) {
    try {
      return removeCgroup(path);
    } catch (error) {
      if (attempt === 50 || (error as NodeJS.ErrnoException).code !== "EBUSY") throw error;
      pause(10);
    }
  }
}

function pause(milliseconds: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, milliseconds);
}

const collector = collectWhenIdle();

self.onmessage = (event: MessageEvent<KernelRequest>) => {
  collector.postpone();
  const { sequence, task } = event.data;
  let reply: KernelReply;
  try {
    run(task);
    reply = { sequence };
  } catch (error) {
    const { code } = error as { code?: string };
    reply = { sequence, error: { message: messageOf(error), ...(code !== undefined && { code }) } };
  }
  self.postMessage(reply);
};
