import { readdir } from "node:fs/promises";
import { EngineError, messageOf } from "#lib/errors.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import { containerAttributes } from "../create.ts";
import type { ContainerDependencies } from "../dependencies.ts";
import type { Lifecycle } from "../lifecycle.ts";
import type { LiveContainers } from "../live.ts";
import { runtimeOf } from "../start.ts";
import { isRunning } from "../state.ts";
import { fileErrorText } from "./file-error.ts";
import { checkCheckpointName, checkpointsFolder, findCheckpoint, type CheckpointName } from "./place.ts";
import { refuseTaken, removeUnfinished, writeCheckpoint } from "./write.ts";

/** What running containers were at, written down by criu so that they can go on from there. */
export class ContainerCheckpoints {
  readonly #deps: ContainerDependencies;
  readonly #live: LiveContainers;
  readonly #lifecycle: Lifecycle;
  /** What goes on without a client that waits for it. */
  readonly #underWay = new Set<Promise<void>>();

  constructor(deps: ContainerDependencies, live: LiveContainers, lifecycle: Lifecycle) {
    this.#deps = deps;
    this.#live = live;
    this.#lifecycle = lifecycle;
  }

  /** Names, in order. @throws {EngineError} `not_found` for a folder that is not there */
  async list(name: string, directory: string): Promise<readonly string[]> {
    const record = this.#deps.containers.find(name);
    const folder = checkpointsFolder(this.#deps, record, directory);
    const entries = await readdir(folder, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== "ENOENT" && error.code !== "ENOTDIR") throw error;
      if (directory === "") return [];
      throw new EngineError("not_found", `checkpoint  does not exist for container ${name}`);
    });
    const names = entries.filter((entry) => entry.isDirectory() && !entry.name.startsWith(".")).map((entry) => entry.name);
    return names.sort();
  }

  /**
   * Writes down what a running container is at.
   * @param options.exit  the container ends afterwards; it does nothing in between
   * @throws {EngineError} with Docker's texts, `not_implemented` where criu cannot work; the container goes on as before
   */
  async create(name: string, options: CheckpointName & { readonly exit: boolean }): Promise<void> {
    const record = this.#running(name);
    checkCheckpointName(options.checkpoint);
    await this.#keep(this.#lifecycle.exclusively(record.id, () => this.#createLocked(record.id, options, name)));
  }

  async #createLocked(id: string, options: CheckpointName & { readonly exit: boolean }, name: string): Promise<void> {
    const record = this.#running(id);
    const live = this.#live.of(id);
    await refuseTaken(this.#deps, record, options, name);
    refuseRuntime(this.#deps, record, name);
    live.isBeingWritten = true;
    try {
      await using frozen = record.state.status === "running" ? await this.#freeze(record) : undefined;
      await writeCheckpoint(this.#deps, record, options).catch((error: unknown) => {
        throw explain(error, name);
      });
      if (!options.exit) await frozen?.[Symbol.asyncDispose]();
      this.#deps.events.emit("container", "checkpoint", id, containerAttributes(record));
      if (options.exit) await this.#lifecycle.endFrozen(id);
    } finally {
      live.isBeingWritten = false;
    }
  }

  /** Disposing it once lets the container run on. It is told as a pause, so that nobody checks its health meanwhile. */
  async #freeze(record: ContainerRecord): Promise<AsyncDisposable> {
    const { containers, events } = this.#deps;
    const { id } = record;
    const runtime = runtimeOf(this.#deps, record);
    const isThere = (): boolean => {
      const state = containers.peek(id)?.state;
      return state !== undefined && isRunning(state) && runtime.alive(state.process).init;
    };
    await runtime.pause(id);
    events.emit("container", "pause", id, containerAttributes(record));
    let isFrozen = true;
    return {
      [Symbol.asyncDispose]: async () => {
        if (!isFrozen || !isThere()) return; // it was ended
        isFrozen = false;
        await runtime.resume(id).catch((error: unknown) => {
          if (isThere()) throw error;
        });
        events.emit("container", "unpause", id, containerAttributes(record));
      },
    };
  }

  /** @throws {EngineError} `not_found` with Docker's text */
  async remove(name: string, checkpoint: CheckpointName): Promise<void> {
    const record = this.#deps.containers.find(name);
    await this.#deps.removeTree(await findCheckpoint(this.#deps, record, checkpoint, name));
  }

  /**
   * Folder of a checkpoint for the start of a container.
   * @throws {EngineError} `not_found` with Docker's text, `not_implemented` where the container's runtime has no checkpoints
   */
  async forStart(record: ContainerRecord, checkpoint: CheckpointName): Promise<string> {
    const folder = await findCheckpoint(this.#deps, record, checkpoint, `/${record.name}`);
    const refusal = runtimeOf(this.#deps, record).checkpointRefusal();
    if (refusal !== undefined) throw new EngineError("not_implemented", refusal);
    return folder;
  }

  /** After a restart of the daemon: what the one before has begun is let come to its end, and taken away. */
  takeUp(): void {
    for (const record of this.#deps.containers.all()) {
      if (record.unfinishedCheckpoint === undefined) continue;
      this.#live.of(record.id).isBeingWritten = true;
      const done = this.#lifecycle
        .exclusively(record.id, () => this.#endLeft(record))
        .catch((error: unknown) =>
          this.#deps.log.error("unfinished checkpoint not removed", { container: record.id, error: messageOf(error) }),
        );
      void this.#keep(done);
    }
  }

  async #endLeft(record: ContainerRecord): Promise<void> {
    const { id } = record;
    const runtime = runtimeOf(this.#deps, record);
    await runtime.checkpointEnded(id);
    const state = this.#deps.containers.peek(id)?.state;
    // criu leaves it as it found it: frozen.
    if (state?.status === "running" && runtime.isFrozen(id)) await runtime.resume(id);
    await removeUnfinished(this.#deps, record);
    this.#live.of(id).isBeingWritten = false;
    this.#deps.log.info("unfinished checkpoint removed", { container: id, folder: record.unfinishedCheckpoint });
  }

  /** Waits until nothing is being written. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#underWay);
  }

  #keep(work: Promise<void>): Promise<void> {
    const kept = work.finally(() => this.#underWay.delete(kept));
    this.#underWay.add(kept);
    return kept;
  }

  #running(name: string): ContainerRecord {
    const record = this.#deps.containers.find(name);
    if (!isRunning(record.state)) throw new EngineError("conflict", `container ${record.id} is not running`);
    return record;
  }
}

/** @throws {EngineError} `not_implemented` */
function refuseRuntime(deps: ContainerDependencies, record: ContainerRecord, name: string): void {
  const refusal = runtimeOf(deps, record).checkpointRefusal();
  if (refusal !== undefined) throw new EngineError("not_implemented", `Cannot checkpoint container ${name}: ${refusal}`);
}

function explain(error: unknown, name: string): EngineError {
  const kind = error instanceof EngineError ? error.kind : "internal";
  return new EngineError(kind, `Cannot checkpoint container ${name}: ${fileErrorText(error)}`, { cause: error });
}
