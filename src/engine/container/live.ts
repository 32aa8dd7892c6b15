import type { StdinConnection } from "#drivers/runtime/types.ts";
import type { OutputReader } from "#drivers/log/types.ts";
import { deferred, type Deferred } from "#lib/async.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { SpareMonitor } from "./spare-monitor.ts";

/** A client that attached before the container was started. */
export interface PendingAttach {
  readonly begin: (record: ContainerRecord) => OutputReader | undefined;
  readonly started: Deferred<{ readonly output: OutputReader | undefined }>;
  readonly cancelled: () => boolean;
}

/** How long a monitor that was begun ahead waits for the start of the container that was created with it. */
const spareMilliseconds = 10_000;

/** What a container has only while this daemon runs. */
export class LiveContainer {
  /** Clients waiting for the start. */
  readonly pending = new Set<PendingAttach>();
  /** One connection to the container's input, shared by all clients that give some. */
  stdin: Promise<StdinConnection> | undefined;
  #spare: SpareMonitor | undefined;
  #spareTimer: ReturnType<typeof setTimeout> | undefined;
  #spareEnd: Promise<void> = Promise.resolve();
  /** Its folders, made while the create is answered; the first start waits for them. */
  folders: Promise<void> | undefined;
  /** Ends when everything of the last run is off the host. */
  teardown: Promise<void> = Promise.resolve();
  /** Resolves when the present run has ended and its end is recorded. */
  ended: Deferred<void> = deferred<void>();
  restartTimer: ReturnType<typeof setTimeout> | undefined;
  restartDelayMilliseconds = 0;
  startedMonotonic = 0;
  /** A stop or a kill is on its way: the restart policy does not apply to this end. */
  stopRequested = false;
  /** It is being ended, or was, for being unhealthy. */
  endedUnhealthy = false;
  /** SIGKILL is on its way: a pause that crosses it must not keep the processes from dying. */
  killed = false;
  /** What it is at is being written down: it is frozen, and must stay so. */
  isBeingWritten = false;
  /** `restart` of an AutoRemove container must not lose it between stop and start. */
  keepAfterExit = false;

  /** The monitor that waits for its first start. One that does not come soon begins anew. */
  keepSpare(spare: SpareMonitor): void {
    this.#spare = spare;
    this.#spareTimer = setTimeout(() => void this.dropSpare(), spareMilliseconds);
    this.#spareTimer.unref();
  }

  async takeSpare(): Promise<SpareMonitor | undefined> {
    clearTimeout(this.#spareTimer);
    const spare = this.#spare;
    if (spare?.starting.hasEnded()) await this.dropSpare();
    this.#spare = undefined;
    await this.#spareEnd;
    return spare?.starting.hasEnded() ? undefined : spare;
  }

  /** Resolves when nothing of it is left. What fails is found by the next start of the daemon. */
  dropSpare(): Promise<void> {
    clearTimeout(this.#spareTimer);
    const spare = this.#spare;
    this.#spare = undefined;
    if (spare) this.#spareEnd = spare.end().catch(() => undefined);
    return this.#spareEnd;
  }
}

/** Live parts by container id. */
export class LiveContainers {
  readonly #live = new Map<string, LiveContainer>();

  of(id: string): LiveContainer {
    let live = this.#live.get(id);
    if (!live) this.#live.set(id, (live = new LiveContainer()));
    return live;
  }

  /** The container is gone: nobody waits for its end any longer. */
  all(): Iterable<LiveContainer> {
    return this.#live.values();
  }

  delete(id: string): void {
    this.#live.get(id)?.ended.resolve();
    this.#live.delete(id);
  }
}
