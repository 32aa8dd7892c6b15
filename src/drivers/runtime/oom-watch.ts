import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { messageOf } from "#lib/errors.ts";
import type { Logger } from "#lib/log.ts";
import { watchFile, watchTouches, type FolderWatch } from "#os/inotify.ts";

/** A run that ends sooner costs no watch: what happened in it is told at its end. */
const armMilliseconds = 100;
const oomFile = "oom";

export interface OomSource {
  /** Where conmon makes the file `oom`. */
  readonly persistFolder: string;
  /** The file `memory.events` of its cgroup; undefined on cgroup v1. Only known when it runs. */
  readonly memoryEvents: () => string | undefined;
}

/**
 * Tells each time that the kernel has killed a process of a container for want of memory. On cgroup v2 that is a count in memory.events,
 * of whose changes the kernel notifies. On v1 conmon waits for it, by an eventfd of memory.oom_control, and opens a file `oom` beside its
 * exit file, also when the file is there. Either way it is known over a restart of this process, and costs one watch for a container.
 */
export class OomWatch {
  readonly #source: OomSource;
  readonly #onOom: () => void;
  readonly #timer: ReturnType<typeof setTimeout>;
  #events: string | undefined;
  #watch: FolderWatch | undefined;
  #killed = 0;
  #isTold = false;

  constructor(source: OomSource, log: Logger, onOom: () => void) {
    this.#source = source;
    this.#onOom = onOom;
    this.#timer = setTimeout(() => this.#arm(log), armMilliseconds);
    this.#timer.unref();
  }

  #arm(log: Logger): void {
    const { persistFolder, memoryEvents } = this.#source;
    try {
      this.#events = memoryEvents();
      this.#watch =
        this.#events === undefined
          ? watchTouches(persistFolder, (name) => this.#touched(name))
          : watchFile(this.#events, () => this.#count());
    } catch (error) {
      log.debug("kills for want of memory are told at the end of the run", { folder: persistFolder, error: messageOf(error) });
    }
    this.#tellUntold();
  }

  #touched(name: string | undefined): void {
    if (name === oomFile) this.#tell();
    else if (name === undefined) this.#tellUntold();
  }

  #count(): void {
    const killed = this.#events === undefined ? 0 : readKilled(this.#events);
    if (killed <= this.#killed) return;
    this.#killed = killed;
    this.#tell();
  }

  #tell(): void {
    this.#isTold = true;
    this.#onOom();
  }

  #tellUntold(): void {
    this.#count();
    if (!this.#isTold && wasOutOfMemory(this.#source.persistFolder)) this.#tell();
  }

  /** The run is over: what has not been told yet is told now. */
  end(): void {
    this.close();
    this.#tellUntold();
  }

  close(): void {
    clearTimeout(this.#timer);
    this.#watch?.close();
  }
}

export function wasOutOfMemory(persistFolder: string): boolean {
  return existsSync(join(persistFolder, oomFile));
}

/** How many processes of the cgroup and of those below it were killed. Source: kernel's cgroup-v2.rst, memory.events. */
function readKilled(path: string): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync(path, "utf8"))?.[1] ?? 0);
  } catch {
    return 0; // the cgroup is gone
  }
}
