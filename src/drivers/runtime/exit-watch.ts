import { mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import type { Logger } from "#lib/log.ts";
import { watchFolder, type FolderWatch } from "#os/inotify.ts";
import { isSameProcess } from "#os/process/identity.ts";
import { OomWatch, wasOutOfMemory, type OomSource } from "./oom-watch.ts";
import type { RunListener, RuntimeExit, RuntimeProcess } from "./types.ts";

interface Watched {
  readonly process: RuntimeProcess;
  readonly persistFolder: string;
  readonly listener: RunListener;
  readonly oom: OomWatch;
  /** Rounds in which the monitor was seen gone without an exit file. */
  missing: number;
}

const monitorCheckMilliseconds = 2000;
const killedExitCode = 137;

/**
 * Tells the end of containers: conmon writes a file named by the id into the exit folder. A slow round looks for monitors that were
 * killed, which write none. What the kernel kills for want of memory is told at once.
 */
export class ExitWatch {
  readonly #folder: string;
  readonly #log: Logger;
  readonly #watched = new Map<string, Watched>();
  readonly #watcher: FolderWatch;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(folder: string, log: Logger) {
    this.#folder = folder;
    this.#log = log;
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    this.#watcher = watchFolder(folder, (name) => {
      for (const id of name === undefined ? [...this.#watched.keys()] : [name]) this.#look(id);
    });
    this.#timer = setInterval(() => this.#checkMonitors(), monitorCheckMilliseconds);
    this.#timer.unref();
  }

  /** Tells the exit once; at once (in a later turn) when the container has ended already. */
  add(id: string, process: RuntimeProcess, source: OomSource, listener: RunListener): void {
    const { persistFolder } = source;
    const oom = new OomWatch(source, this.#log, () => listener.onOom());
    this.#watched.set(id, { process, persistFolder, listener, oom, missing: 0 });
    setImmediate(() => this.#look(id));
  }

  /** The end of a container that is not watched. */
  find(id: string, persistFolder: string): RuntimeExit | undefined {
    const exitCode = readExitCode(join(this.#folder, id)) ?? readExitCode(join(persistFolder, "exit"));
    return exitCode === undefined ? undefined : toExit(exitCode, persistFolder);
  }

  remove(id: string): void {
    this.#watched.get(id)?.oom.close();
    this.#watched.delete(id);
    rmSync(join(this.#folder, id), { force: true });
  }

  /** Takes away what a monitor that was killed in the middle of writing has left: conmon writes `ID.XXXXXX` and renames it. */
  removeUnfinished(isWanted: (id: string) => boolean): void {
    for (const name of readdirSync(this.#folder)) {
      const [id = "", suffix] = name.split(".");
      if (suffix !== undefined && !isWanted(id)) rmSync(join(this.#folder, name), { force: true });
    }
  }

  close(): void {
    this.#watcher.close();
    for (const { oom } of this.#watched.values()) oom.close();
    clearInterval(this.#timer);
  }

  /** Only at the file that conmon writes last: what it writes after the end has been told would be left for ever. */
  #look(id: string): void {
    const watched = this.#watched.get(id);
    if (!watched) return;
    const exitCode = readExitCode(join(this.#folder, id));
    if (exitCode !== undefined) this.#tell(id, watched, toExit(exitCode, watched.persistFolder));
  }

  /** conmon is alive until after the exit file is written: gone without a file in two rounds means that it was killed. */
  #checkMonitors(): void {
    for (const [id, watched] of this.#watched) {
      const { monitorPid, monitorStartTicks, pid, pidStartTicks } = watched.process;
      if (isSameProcess(monitorPid, monitorStartTicks)) continue;
      const exit = this.find(id, watched.persistFolder);
      if (exit) this.#tell(id, watched, exit);
      if (exit || watched.missing++ === 0) continue;
      // Its pipes are gone: what still runs would die at its next output, and nobody would know the code.
      if (isSameProcess(pid, pidStartTicks)) process.kill(pid, "SIGKILL");
      this.#log.warn("container monitor was killed", { container: id, monitorPid });
      this.#tell(id, watched, {
        exitCode: killedExitCode,
        oomKilled: false,
        error: "the container monitor was killed; the exit code is not known",
      });
    }
  }

  #tell(id: string, watched: Watched, exit: RuntimeExit): void {
    this.#watched.delete(id);
    watched.oom.end();
    watched.listener.onExit(exit);
  }
}

function toExit(exitCode: number, persistFolder: string): RuntimeExit {
  return { exitCode, oomKilled: wasOutOfMemory(persistFolder) };
}

/** The code in one of conmon's exit files; undefined while it is not there. */
export function readExitCode(path: string): number | undefined {
  let text: string;
  try {
    text = readFileSync(path, "utf8");
  } catch {
    return undefined; // not there yet
  }
  // conmon makes the file under another name first, but an empty one may still be seen on the persistent side.
  return /^\d+$/.test(text) ? Number(text) : undefined;
}
