import { mkdirSync } from "node:fs";
import type { RuntimeDriver, StartingContainer } from "#drivers/runtime/types.ts";
import { messageOf } from "#lib/errors.ts";
import { randomId } from "#lib/id.ts";
import { instancePaths } from "#lib/instance.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { ContainerDependencies } from "./dependencies.ts";
import { makeAhead, type MadeAhead } from "./made-ahead.ts";
import { beginRequest, isSameShape, makeFolders, type MonitorShape } from "./monitor.ts";
import { mountRootfs, prepareRootfs, removeSized } from "./rootfs.ts";
import { cgroupsPath } from "./spec/assemble.ts";

/** A monitor that was begun before its container, with the id the container is to have. */
export class SpareMonitor {
  readonly id: string;
  readonly starting: StartingContainer;
  readonly #deps: ContainerDependencies;
  #rootfs: Promise<void> | undefined;
  #ahead: Promise<MadeAhead | undefined> | undefined;

  constructor(deps: ContainerDependencies, id: string, starting: StartingContainer) {
    this.#deps = deps;
    this.id = id;
    this.starting = starting;
  }

  /** The root file system, if it is being mounted. */
  get rootfs(): Promise<void> | undefined {
    return this.#rootfs;
  }

  /** What the runtime was asked to make already, if anything. */
  get ahead(): Promise<MadeAhead | undefined> | undefined {
    return this.#ahead;
  }

  /** Its container has been created, and will be started soon: it is made ready as far as it can be while the client gets its answer. */
  makeReady(record: ContainerRecord): void {
    this.#rootfs = mountRootfs(this.#deps, record, true);
    this.#rootfs.catch(() => undefined); // told by the start
    this.#ahead = makeAhead(this.#deps, record, this.starting, this.#rootfs).catch(() => undefined); // told by the start
  }

  /** For one that is not wanted: nothing is left of it then, but for the folder of a container that was created with its id. */
  async end(): Promise<void> {
    const deps = this.#deps;
    const { bundle, folder, rootfs } = instancePaths(deps.instance).container(this.id);
    await this.#ahead;
    await this.starting[Symbol.asyncDispose]();
    await deps.networkDriver.removeSandbox(this.id);
    await deps.removeTree(bundle);
    await this.#rootfs?.catch(() => undefined);
    if (this.#rootfs) await deps.snapshots.leave(rootfs);
    if (deps.containers.peek(this.id)) return;
    await removeSized(deps, { id: this.id });
    await deps.removeTree(folder);
  }
}

/**
 * One monitor with its runtime that waits for a container to come: loading the two takes as long as all the rest of a start. It is of the
 * kind that was asked for last. When the daemon dies, it ends by itself (`AwaitedConfiguration`), and its folder is an orphan.
 */
export class SpareMonitors {
  readonly #deps: ContainerDependencies;
  #shape: MonitorShape;
  #spare: SpareMonitor | undefined;
  #making: Promise<void> | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** While what an earlier daemon has left is cleared away, a folder without a record is an orphan. */
  #open = false;

  constructor(deps: ContainerDependencies) {
    this.#deps = deps;
    this.#shape = { runtime: deps.settings.defaultRuntime, tty: false, openStdin: false, stdinOnce: false };
  }

  /** The spare, if there is one of this kind. It belongs to the caller. */
  take(shape: MonitorShape): SpareMonitor | undefined {
    const spare = this.#spare;
    const suits = isSameShape(shape, this.#shape) && spare !== undefined && !spare.starting.hasEnded();
    this.#shape = shape;
    if (spare === undefined) return undefined;
    this.#spare = undefined;
    if (suits) return spare;
    this.#drop(spare);
    return undefined;
  }

  /** Spares are made from now on. */
  open(): void {
    this.#open = true;
    this.prepare(afterOpenMilliseconds);
  }

  /** Makes the next one after `delayMilliseconds`, in which what is under way has the processor to itself. */
  prepare(delayMilliseconds: number): void {
    if (!this.#open || this.#spare || this.#making || this.#timer) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#making = this.#make().finally(() => (this.#making = undefined));
    }, delayMilliseconds);
    this.#timer.unref();
  }

  async close(): Promise<void> {
    this.#open = false;
    clearTimeout(this.#timer);
    await this.#making;
    await this.#spare?.end();
    this.#spare = undefined;
  }

  async #make(): Promise<void> {
    const shape = this.#shape;
    const runtime = this.#deps.runtimes.get(shape.runtime);
    if (!runtime) return;
    try {
      const spare = await makeSpare(this.#deps, runtime, shape);
      if (isSameShape(shape, this.#shape) && this.#open) this.#spare = spare;
      else this.#drop(spare);
      this.#deps.networkDriver.prepareSandbox();
    } catch (error) {
      // Starts go on without; the next one tells what is wrong.
      this.#deps.log.debug("no monitor could be begun ahead", { error: messageOf(error) });
    }
  }

  #drop(spare: SpareMonitor): void {
    spare.end().catch((error: unknown) => {
      this.#deps.log.warn("a spare monitor could not be ended", { container: spare.id, error: messageOf(error) });
    });
  }
}

/** The start of the daemon comes first. */
const afterOpenMilliseconds = 500;

async function makeSpare(deps: ContainerDependencies, runtime: RuntimeDriver, shape: MonitorShape): Promise<SpareMonitor> {
  const id = randomId();
  await makeFolders(deps, id);
  await prepareRootfs(deps, id);
  mkdirSync(instancePaths(deps.instance).container(id).persist, { recursive: true, mode: 0o700 });
  return new SpareMonitor(deps, id, runtime.begin(beginRequest(deps, id, shape, cgroupsPath(deps, { id, hostConfig: {} }))));
}
