import { sleep } from "#lib/async.ts";
import { check, cString, libc } from "./libc.ts";
import { PipeReader } from "./process/pipe.ts";

const IN_NONBLOCK = 0o4000;
const IN_CLOEXEC = 0o2000000;
const IN_MODIFY = 0x2;
const IN_CLOSE_WRITE = 0x8;
const IN_CLOSE_NOWRITE = 0x10;
const IN_MOVED_FROM = 0x40;
const IN_MOVED_TO = 0x80;
const IN_CREATE = 0x100;
const IN_DELETE = 0x200;
const IN_Q_OVERFLOW = 0x4000;
const IN_IGNORED = 0x8000;
const IN_ONLYDIR = 0x1000000;
const watched = IN_MODIFY | IN_MOVED_FROM | IN_MOVED_TO | IN_CREATE | IN_DELETE | IN_ONLYDIR;
const touched = IN_CLOSE_WRITE | IN_CLOSE_NOWRITE | IN_ONLYDIR;
const headBytes = 16;
/** How long changes in quick succession are gathered, where that is wanted. */
const gatherMilliseconds = 3;

/** @param name  of the file in the folder; undefined when events were lost, and everything may have changed */
export type FolderListener = (name: string | undefined) => void;

export interface FolderWatch {
  close(): void;
}

/**
 * Tells of every change in folders: files made, written, moved, removed. `fs.watch` of Bun 1.4 cannot be used for this: it leaves out an
 * event that follows another within a millisecond, and then nobody hears of the last bytes of a burst.
 * One descriptor for a thread, read on the event loop, and one for what is written all the time: there the kernel puts equal events together
 * while they are not read. Source: inotify(7).
 */
class Inotify {
  readonly #descriptor = check(libc.inotify_init1(IN_NONBLOCK | IN_CLOEXEC), "open inotify");
  /** The kernel has one watch for a folder, however often it is asked. */
  readonly #listeners = new Map<number, Set<FolderListener>>();

  readonly #gathers: boolean;

  constructor(gathers: boolean) {
    this.#gathers = gathers;
    void this.#readAll();
  }

  watch(folder: string, events: number, listener: FolderListener): FolderWatch {
    const watch = check(libc.inotify_add_watch(this.#descriptor, cString(folder), events), `watch ${folder}`);
    const listeners = this.#listeners.get(watch) ?? new Set();
    this.#listeners.set(watch, listeners.add(listener));
    return {
      close: () => {
        if (!listeners.delete(listener) || listeners.size > 0 || this.#listeners.get(watch) !== listeners) return;
        this.#listeners.delete(watch);
        libc.inotify_rm_watch(this.#descriptor, watch); // fails when the folder is gone, and the watch with it
      },
    };
  }

  async #readAll(): Promise<void> {
    const reader = new PipeReader(this.#descriptor);
    let last = 0;
    for (let chunk = await reader.read(); chunk; chunk = await reader.read()) {
      this.#handle(Buffer.from(chunk.buffer, chunk.byteOffset, chunk.length));
      if (!this.#gathers) continue;
      const now = performance.now();
      if (now - last < 2 * gatherMilliseconds) await sleep(gatherMilliseconds);
      last = now;
    }
  }

  /** The kernel hands out whole events. */
  #handle(events: Buffer): void {
    for (let offset = 0; offset + headBytes <= events.length;) {
      const watch = events.readInt32LE(offset);
      const mask = events.readUInt32LE(offset + 4);
      const nameBytes = events.readUInt32LE(offset + 12);
      const name = events.toString("utf8", offset + headBytes, offset + headBytes + nameBytes).replace(/\0+$/, "");
      offset += headBytes + nameBytes;
      if (mask & IN_Q_OVERFLOW) for (const listeners of this.#listeners.values()) tell(listeners, undefined);
      else if (mask & IN_IGNORED) this.#listeners.delete(watch);
      else tell(this.#listeners.get(watch) ?? [], name);
    }
  }
}

/** A listener may close watches, its own too. */
function tell(listeners: Iterable<FolderListener>, name: string | undefined): void {
  for (const listener of [...listeners]) listener(name);
}

let inotify: Inotify | undefined;
let gathering: Inotify | undefined;

/** Watches a folder that is there. @throws {SystemError} `ENOENT`, `ENOSPC` when the host's limit of watches is reached */
export function watchFolder(folder: string, listener: FolderListener): FolderWatch {
  inotify ??= new Inotify(false);
  return inotify.watch(folder, watched, listener);
}

/** As {@link watchFolder}, for files that are written many times in a row: the first change is told at once, those that follow it in a few milliseconds together. */
export function watchBusyFolder(folder: string, listener: FolderListener): FolderWatch {
  gathering ??= new Inotify(true);
  return gathering.watch(folder, watched, listener);
}

/**
 * Tells of each file of a folder that is closed by whoever had it open, also when nothing was written into it. Not for a folder that
 * {@link watchFolder} watches too: the kernel has one watch for both.
 */
export function watchTouches(folder: string, listener: FolderListener): FolderWatch {
  inotify ??= new Inotify(false);
  return inotify.watch(folder, touched, listener);
}

/** Tells of each change of one file, also of a file of the kernel that notifies of it (memory.events of a cgroup). @throws {SystemError} */
export function watchFile(path: string, listener: FolderListener): FolderWatch {
  inotify ??= new Inotify(false);
  return inotify.watch(path, IN_MODIFY, listener);
}
