import { chmodSync, mkdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from "node:fs";
import { EngineError } from "#lib/errors.ts";
import { instanceOf, instancePaths, type Instance } from "#lib/instance.ts";
import type { Logger } from "#lib/log.ts";
import { FileLock } from "#os/lock.ts";
import type { DaemonConfig } from "./config.ts";

export interface OpenedInstance {
  readonly instance: Instance;
  /** Writes the pid file. A stale one says nothing: the lock does. */
  announce(pidFile: string | undefined): void;
  close(): void;
}

/** Makes the roots, takes the lock. @throws {EngineError} `conflict` when another daemon has the data root */
export function openInstance(config: DaemonConfig, log: Logger): OpenedInstance {
  const { dataRoot, execRoot } = config;
  mkdirSync(dataRoot, { recursive: true, mode: 0o710 });
  chmodSync(dataRoot, statSync(dataRoot).mode & 0o770);
  // Members of the socket's group must pass through, nobody may look.
  mkdirSync(execRoot, { recursive: true, mode: 0o711 });
  const paths = instancePaths(config);
  const lock = FileLock.take(paths.lock);
  if (!lock) throw new EngineError("conflict", `another daemon uses ${dataRoot}: stop it first, or choose another --data-root`);
  const instance = instanceOf(chooseId(`${dataRoot}/instance-id`, `${execRoot}/instance-id`, log), dataRoot, execRoot);
  const written: string[] = [];
  return {
    instance,
    announce(pidFile) {
      for (const path of [paths.pidFile, ...(pidFile === undefined ? [] : [pidFile])]) {
        writeFileSync(path, `${process.pid}\n`);
        written.push(path);
      }
    },
    close() {
      for (const path of written) rmSync(path, { force: true });
      lock[Symbol.dispose]();
    },
  };
}

/**
 * Made once, before anything of the instance exists on the host. The copy in the exec root lives as long as what is named by it: until the
 * host is started again.
 */
function chooseId(path: string, copy: string, log: Logger): string {
  const [id, copied] = [readId(path), readId(copy)];
  const chosen = id ?? copied ?? Buffer.from(crypto.getRandomValues(new Uint8Array(2))).toString("hex");
  if (id === undefined && (copied !== undefined || isThere(path)))
    log.error("instance id was missing or damaged: it is written anew", { file: path, id: chosen });
  if (id !== chosen) writeWhole(path, `${chosen}\n`);
  if (copied !== chosen) writeWhole(copy, `${chosen}\n`);
  return chosen;
}

/** Undefined when the file is missing or holds something else. */
function readId(path: string): string | undefined {
  if (!isThere(path)) return undefined;
  const text = readFileSync(path, "utf8").trim();
  return /^[0-9a-f]{4}$/.test(text) ? text : undefined;
}

function isThere(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function writeWhole(path: string, text: string): void {
  writeFileSync(`${path}.new`, text, { mode: 0o600, flush: true });
  renameSync(`${path}.new`, path);
}
