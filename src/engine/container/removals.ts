import { KeyedMutex } from "#lib/async.ts";
import { EngineError, isKind, messageOf } from "#lib/errors.ts";
import { instancePaths } from "#lib/instance.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import { containerAttributes } from "./create.ts";
import type { ContainerDependencies } from "./dependencies.ts";
import type { LiveContainers } from "./live.ts";
import { removeSized } from "./rootfs.ts";
import { sizeLimitOf } from "./size-limit.ts";
import { isRunning } from "./state.ts";
import type { WaitResult, Waiters } from "./waiters.ts";

/** Removal of containers that have ended: the record first, then those who wait, then the files. */
export class Removals {
  readonly #deps: ContainerDependencies;
  readonly #live: LiveContainers;
  readonly #waiters: Waiters;
  readonly #locks = new KeyedMutex();
  /** What goes on off the user's path. */
  readonly #cleanups = new Set<Promise<void>>();

  constructor(deps: ContainerDependencies, live: LiveContainers, waiters: Waiters) {
    this.#deps = deps;
    this.#live = live;
    this.#waiters = waiters;
  }

  /** @throws {EngineError} `conflict` when it runs, or is being started */
  remove(id: string, options: { readonly volumes: boolean }): Promise<void> {
    return this.#locks.run(id, async () => {
      const record = this.#deps.containers.peek(id);
      if (!record) return;
      if (record.state.status === "starting" || isRunning(record.state)) {
        throw new EngineError("conflict", `removal of container ${record.name} is already in progress`);
      }
      const forgotten = this.forget(record);
      await forgotten;
      await this.finish(record, options, { exitCode: record.state.exitCode }, forgotten);
    });
  }

  /** Takes the record away: the name is free at once, on disk when this resolves. */
  forget(record: ContainerRecord): Promise<void> {
    const removed = this.#deps.containers.remove(record.id);
    for (const mount of record.mounts) if (mount.name !== undefined) this.#deps.volumes.removeUser(mount.name, record.id);
    return removed;
  }

  /** The record is gone: tells it, and lets files follow when it is gone from the disk, too. */
  async finish(
    record: ContainerRecord,
    options: { readonly volumes: boolean },
    result: WaitResult,
    forgotten: Promise<void>,
  ): Promise<void> {
    const { events, volumes, log } = this.#deps;
    const live = this.#live.of(record.id);
    events.emit("container", "destroy", record.id, containerAttributes(record));
    const anonymous = options.volumes ? record.mounts.filter((mount) => mount.anonymous && mount.name !== undefined) : [];
    if (anonymous.length === 0) this.#waiters.removed(record.id, result);
    this.#live.delete(record.id);
    // Folders that are just being made must not outlive the removal.
    const cleanup = Promise.allSettled([forgotten, live.teardown, live.folders, live.dropSpare()])
      .then(() => this.#removeFolders(record))
      .catch((error: unknown) => log.error("removal of files failed", { container: record.id, error: messageOf(error) }));
    this.#cleanups.add(cleanup);
    void cleanup.finally(() => this.#cleanups.delete(cleanup));
    if (anonymous.length === 0) return;
    try {
      await live.teardown;
      for (const { name = "" } of anonymous) {
        await volumes.remove(name, true).catch((error: unknown) => {
          if (!isKind(error, "conflict")) throw error; // another container has it too
        });
      }
    } finally {
      // Whoever hears of the removal finds its volumes gone, as with Docker.
      this.#waiters.removed(record.id, result);
    }
  }

  async #removeFolders(record: ContainerRecord): Promise<void> {
    const { id, imageId, layers, mounts } = record;
    const paths = instancePaths(this.#deps.instance).container(id);
    await this.#deps.logs.remove(id, { spoolFolder: paths.spool, logsFolder: paths.logs });
    await this.#deps.snapshots.unmount(paths.rootfs);
    if (sizeLimitOf(record) !== "none") await removeSized(this.#deps, record);
    await this.#deps.removeTree(paths.folder);
    if (!this.#deps.images.peek(imageId)) await this.#deps.images.releaseLayers(layers);
    for (const { image } of mounts) if (image && !this.#deps.images.peek(image.id)) await this.#deps.images.releaseLayers(image.layers);
  }

  /** Files of what was removed until now are gone. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#cleanups);
  }
}

export function hasAnonymousVolumes({ mounts }: ContainerRecord): boolean {
  return mounts.some((mount) => mount.anonymous && mount.name !== undefined);
}
