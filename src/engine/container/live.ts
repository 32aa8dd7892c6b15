import type { StdinConnection } from "#drivers/runtime/types.ts";
import type { OutputReader } from "#drivers/log/types.ts";
import { deferred, type Deferred } from "#lib/async.ts";
import type { ContainerRecord } from "#types/record/container.ts";

/** A client that attached before the container was started. */
export interface PendingAttach {
  readonly begin: (record: ContainerRecord) => OutputReader | undefined;
  readonly started: Deferred<{ readonly output: OutputReader | undefined }>;
  readonly cancelled: () => boolean;
}

/** What a container has only while this daemon runs. */
export class LiveContainer {
  /** Clients waiting for the start. */
  readonly pending = new Set<PendingAttach>();
  /** One connection to the container's input, shared by all clients that give some. */
  stdin: Promise<StdinConnection> | undefined;
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
  /** SIGKILL is on its way: a pause that crosses it must not keep the processes from dying. */
  killed = false;
  /** `restart` of an AutoRemove container must not lose it between stop and start. */
  keepAfterExit = false;
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
  delete(id: string): void {
    this.#live.get(id)?.ended.resolve();
    this.#live.delete(id);
  }
}
