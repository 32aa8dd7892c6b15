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
  /** Only known when it runs; undefined where memory is not counted. */
  readonly killCounter: () => KillCounter | undefined;
}

/** Where the kernel counts the kills in a container's cgroup. */
export interface KillCounter {
  readonly path: string;
  /** False on cgroup v1, whose file nobody can watch. */
  readonly notifies: boolean;
}

/**
 * Tells each time that the kernel has killed a process of a container for want of memory. On cgroup v2 that is a count in memory.events,
 * of whose changes the kernel notifies. On v1 conmon waits for it, by an eventfd of memory.oom_control, and opens a file `oom` beside its
 * exit file, also when the file is there; the count in memory.oom_control tells of what came before the watch. Either way it is known over
 * a restart of this process, and costs one watch for a container.
 */
export class OomWatch {
  readonly #source: OomSource;
  readonly #onOom: () => void;
  readonly #timer: ReturnType<typeof setTimeout>;
  #counter: KillCounter | undefined;
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
    const { persistFolder, killCounter } = this.#source;
    try {
      this.#counter = killCounter();
      this.#watch = this.#counter?.notifies
        ? watchFile(this.#counter.path, () => this.#count())
        : watchTouches(persistFolder, (name) => this.#touched(name));
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
    if (!this.#counter?.notifies) return;
    const killed = readKilled(this.#counter.path);
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
    if (!this.#isTold && this.#wasOutOfMemory()) this.#tell();
  }

  #wasOutOfMemory(): boolean {
    return wasOutOfMemory(this.#source.persistFolder) || (this.#counter !== undefined && readKilled(this.#counter.path) > 0);
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

/** How many processes of the cgroup were killed. Source: kernel's cgroup-v2.rst, memory.events; cgroup-v1/memory.rst, oom_control. */
function readKilled(path: string): number {
  try {
    return Number(/^oom_kill (\d+)$/m.exec(readFileSync(path, "utf8"))?.[1] ?? 0);
  } catch {
    return 0; // the cgroup is gone
  }
}
