import {
  chmodSync,
  closeSync,
  constants,
  linkSync,
  lstatSync,
  lutimesSync,
  mkdirSync,
  openSync,
  readdirSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  type Stats,
} from "node:fs";
import { makeNode } from "./make-node-ffi.ts";

const { O_CREAT, O_DIRECTORY, O_EXCL, O_NOFOLLOW, O_RDONLY, O_WRONLY } = constants;
const O_PATH = 0o10000000;

/**
 * An open directory of this host whose entries are reached by one name at a time, links never followed: whatever an archive has put there,
 * nothing outside is touched. Names are byte strings (latin1). Source: proc_pid_fd(5).
 */
export class LocalDirectory implements Disposable {
  readonly #descriptor: number;

  private constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** The user's own path: links in it are followed. */
  static openPath(path: string): LocalDirectory {
    return new LocalDirectory(openSync(path, O_RDONLY | O_DIRECTORY));
  }

  [Symbol.dispose](): void {
    closeSync(this.#descriptor);
  }

  /** Undefined when the name is missing or no directory; a link to one is none. */
  open(name: string): LocalDirectory | undefined {
    try {
      return new LocalDirectory(openSync(this.#path(name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
    } catch (error) {
      if (["ENOENT", "ENOTDIR", "ELOOP"].includes((error as NodeJS.ErrnoException).code ?? "")) return undefined;
      throw error;
    }
  }

  stat(name: string): Stats | undefined {
    return lstatSync(this.#path(name), { throwIfNoEntry: false });
  }

  names(): string[] {
    return readdirSync(`/proc/self/fd/${this.#descriptor}`, { encoding: "latin1" });
  }

  makeDirectory(name: string): void {
    mkdirSync(this.#path(name), { mode: 0o755 });
  }

  /** A new file to write; the caller closes it. */
  createFile(name: string): number {
    return openSync(this.#path(name), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o600);
  }

  makeSymlink(name: string, target: string): void {
    symlinkSync(Buffer.from(target, "latin1"), this.#path(name));
  }

  makeLink(name: string, holder: LocalDirectory, existing: string): void {
    linkSync(holder.#path(existing), this.#path(name));
  }

  /** @param mode  with the bits of the type */
  makeNode(name: string, mode: number, device: { readonly major: number; readonly minor: number }): void {
    makeNode(this.#path(name), mode, device);
  }

  /** Not for links. */
  setMode(name: string, mode: number): void {
    const held = openSync(this.#path(name), O_PATH | O_NOFOLLOW);
    try {
      chmodSync(`/proc/self/fd/${held}`, mode);
    } finally {
      closeSync(held);
    }
  }

  setTime(name: string, seconds: number): void {
    lutimesSync(this.#path(name), seconds, seconds);
  }

  /** With everything in it. */
  remove(name: string): void {
    {
      using directory = this.open(name);
      if (!directory) return unlinkSync(this.#path(name));
      for (const child of directory.names()) directory.remove(child);
    }
    rmdirSync(this.#path(name));
  }

  #path(name: string): Buffer {
    return Buffer.from(`/proc/self/fd/${this.#descriptor}/${name}`, "latin1");
  }
}
