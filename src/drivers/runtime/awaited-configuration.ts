import { closeSync, constants, openSync, renameSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { sleep } from "#lib/async.ts";
import { check, cString, libc } from "#os/libc.ts";

const AT_FDCWD = -100;
const S_IFIFO = 0o010000;
const O_CLOEXEC = 0o2000000;

/**
 * The config.json of a bundle, whose content is not known yet: a fifo, at which the runtime waits. So monitor and runtime are loaded while
 * network and root file system are still being made, or before anybody has asked. Both its ends are held here: a runtime that waits when
 * the daemon dies reads an empty configuration and gives up. Source: fifo(7).
 */
export class AwaitedConfiguration {
  readonly #path: string;
  #descriptor: number | undefined;

  /** @param bundle  a folder that is there */
  constructor(bundle: string) {
    this.#path = `${bundle}/config.json`;
    check(libc.mknodat(AT_FDCWD, cString(this.#path), S_IFIFO | 0o600, 0), `make ${this.#path}`);
    this.#descriptor = openSync(this.#path, constants.O_RDWR | constants.O_NONBLOCK | O_CLOEXEC);
  }

  /**
   * Lets the runtime go on with `text`.
   * @param ended  true when the monitor has answered, and nobody will read any more
   */
  async give(text: string, ended: () => boolean): Promise<void> {
    const descriptor = this.#descriptor;
    if (descriptor === undefined) return;
    const whole = `${this.#path}.whole`;
    writeFileSync(whole, text, { mode: 0o600 });
    // A runtime that comes later, and crun, which reads its configuration once more to keep it, find the file.
    renameSync(whole, this.#path);
    try {
      await writeAll(descriptor, Buffer.from(text), ended);
    } finally {
      this.#close();
    }
  }

  /** A runtime that waits gives up; one that comes later finds nothing. Success when the configuration was given before. */
  abandon(): void {
    if (this.#descriptor === undefined) return;
    rmSync(this.#path, { force: true });
    this.#close();
  }

  #close(): void {
    if (this.#descriptor !== undefined) closeSync(this.#descriptor);
    this.#descriptor = undefined;
  }
}

/** A pipe holds 64 KiB: a longer text is written as it is read. */
async function writeAll(descriptor: number, bytes: Buffer, ended: () => boolean): Promise<void> {
  for (let offset = 0; offset < bytes.length && !ended();) {
    try {
      offset += writeSync(descriptor, bytes, offset);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "EAGAIN") throw error;
      await sleep(1);
    }
  }
}
