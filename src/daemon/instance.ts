import { mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { EngineError } from "#lib/errors.ts";
import { instanceOf, instancePaths, type Instance } from "#lib/instance.ts";
import { FileLock } from "#os/lock.ts";
import type { DaemonConfig } from "./config.ts";

export interface OpenedInstance {
  readonly instance: Instance;
  /** Writes the pid file. A stale one says nothing: the lock does. */
  announce(pidFile: string | undefined): void;
  close(): void;
}

/** Makes the roots, takes the lock. @throws {EngineError} `conflict` when another daemon has the data root */
export function openInstance(config: DaemonConfig): OpenedInstance {
  const { dataRoot, execRoot } = config;
  // Containers with a user namespace of their own must pass through, nobody may look.
  mkdirSync(dataRoot, { recursive: true, mode: 0o711 });
  mkdirSync(execRoot, { recursive: true, mode: 0o711 });
  const paths = instancePaths(config);
  const lock = FileLock.take(paths.lock);
  if (!lock) throw new EngineError("conflict", `another daemon uses ${dataRoot}: stop it first, or choose another --data-root`);
  const idFile = `${dataRoot}/instance-id`;
  const id = readId(idFile);
  const instance = instanceOf(id, dataRoot, execRoot);
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

/** Made once, before anything of the instance exists on the host. */
function readId(path: string): string {
  try {
    const id = readFileSync(path, "utf8").trim();
    if (/^[0-9a-f]{4}$/.test(id)) return id;
  } catch {
    // first start
  }
  const id = Buffer.from(crypto.getRandomValues(new Uint8Array(2))).toString("hex");
  writeFileSync(path, `${id}\n`, { mode: 0o600, flush: true });
  return id;
}
