import { closeSync, openSync } from "node:fs";
import { libc } from "./libc.ts";

const LOCK_EX = 2;
const LOCK_NB = 4;

/** A lock on a file that ends with the process, however that ends. Source: flock(2). */
export class FileLock implements Disposable {
  readonly #descriptor: number;
  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** undefined when another process has it. */
  static take(path: string): FileLock | undefined {
    const descriptor = openSync(path, "a", 0o600);
    if (libc.flock(descriptor, LOCK_EX | LOCK_NB) === 0) return new FileLock(descriptor);
    closeSync(descriptor);
    return undefined;
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }
}
