import { closeSync, constants, openSync, renameSync, rmSync, writeFileSync, writeSync } from "node:fs";
import { sleep } from "#lib/async.ts";
import { check, cString, libc, ptr } from "#os/libc.ts";

const AT_FDCWD = -100;
const S_IFIFO = 0o010000;

/**
 * The config.json of a bundle, whose content is not known yet: a fifo, at which the runtime waits. So monitor and runtime are loaded while
 * network and root file system are still being made. Source: fifo(7).
 */
export class AwaitedConfiguration {
  readonly #path: string;

  /** @param bundle  a folder that is there */
  constructor(bundle: string) {
    this.#path = `${bundle}/config.json`;
    check(libc.mknodat(AT_FDCWD, ptr(cString(this.#path)), S_IFIFO | 0o600, 0), `make ${this.#path}`);
  }

  /**
   * Lets the runtime go on with `text`.
   * @param ended  true when the monitor has given up, and nobody will read
   */
  async give(text: string, ended: () => boolean): Promise<void> {
    const whole = `${this.#path}.whole`;
    writeFileSync(whole, text, { mode: 0o600 });
    let descriptor = this.#open();
    for (; descriptor === undefined; descriptor = this.#open()) {
      if (ended()) return;
      await sleep(1);
    }
    try {
      // crun reads its configuration once more, to keep it: then it finds the file.
      renameSync(whole, this.#path);
      await writeAll(descriptor, Buffer.from(text));
    } finally {
      closeSync(descriptor);
    }
  }

  /** A runtime that waits reads an empty configuration and gives up; one that comes later finds none. Success when it was given before. */
  abandon(): void {
    let descriptor: number | undefined;
    try {
      // For reading too: this never waits, nor fails for want of a reader.
      descriptor = openSync(this.#path, constants.O_RDWR | constants.O_NONBLOCK);
    } catch {
      return; // it is gone with its bundle
    }
    rmSync(this.#path, { force: true });
    closeSync(descriptor);
  }

  /** undefined while the runtime has not come to it yet */
  #open(): number | undefined {
    try {
      return openSync(this.#path, constants.O_WRONLY | constants.O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENXIO") return undefined;
      throw error;
    }
  }
}

/** A pipe holds 64 KiB; the runtime may take more than one look at it. */
async function writeAll(descriptor: number, bytes: Buffer): Promise<void> {
  for (let offset = 0; offset < bytes.length;) {
    try {
      offset += writeSync(descriptor, bytes, offset);
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      if (code === "EPIPE") return; // it has ended; the monitor tells why
      if (code !== "EAGAIN") throw error;
      await sleep(1);
    }
  }
}
