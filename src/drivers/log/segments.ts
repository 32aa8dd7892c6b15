import { closeSync, constants, fstatSync, openSync, readdirSync, rmSync, statSync } from "node:fs";
import { check, cString, libc } from "#os/libc.ts";

const AT_FDCWD = -100;
const AT_SYMLINK_FOLLOW = 0x400;
const pinPrefix = "log.held.";

/** A segment of the spool, opened. */
export interface OpenSegment {
  /** 1 for the first of a spool; a number left out is a gap. */
  readonly number: number;
  readonly descriptor: number;
}

/**
 * The files of one spool. conmon writes `log`; when it has written `--log-size-max` bytes it opens `log.tmp`, renames it to `log` and goes on
 * there, and the old file is gone unless somebody else holds it. So each segment is pinned by a hard link `log.held.N`: the one being read,
 * those not read yet, and ahead of its use the empty `log.tmp`, which is made beforehand (conmon dies when it cannot make it). While this
 * runs no segment escapes. After a longer absence, files that came after the last pin may be missing: then a number is left out.
 * Source: conmon 2.1, src/ctr_logging.c, reopen_k8s_file().
 */
export class Segments {
  readonly #folder: string;
  /** Highest number that is pinned; its file is `log.tmp` until conmon takes it. */
  #lastPin = 0;
  #lastPinInode = 0;

  /**
   * Makes `log` where conmon has not, so that the first segment is known before its first byte. What comes next is left to `pin`: making a
   * file takes up to a millisecond, and most containers never need a second one.
   */
  constructor(folder: string) {
    this.#folder = folder;
    closeSync(openSync(`${folder}/log`, constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT, 0o600));
    this.#lastPin = this.#pins().at(-1) ?? 0;
    this.#lastPinInode = this.#inode(`${pinPrefix}${this.#lastPin}`);
    if (this.#lastPin === 0) this.#addPin(this.#path("log"), 1);
    else this.pin();
  }

  /** Pins the file that conmon will use next; one stat when that is done. @throws ErrnoException `ENOSPC` */
  pin(): void {
    if (this.#inode("log.tmp") === this.#lastPinInode) return;
    // If conmon comes in between and takes or makes the file, this is the very file it goes on in.
    const descriptor = openSync(this.#path("log.tmp"), constants.O_WRONLY | constants.O_CREAT, 0o600);
    try {
      const next = fstatSync(descriptor).ino;
      // Asked after `log.tmp` is there: from now on conmon takes that one.
      this.#pinCurrent(next);
      if (this.#lastPinInode !== next) this.#addPin(`/proc/self/fd/${descriptor}`, this.#lastPin + 1);
    } finally {
      closeSync(descriptor);
    }
  }

  /** True while `log` is the file with this inode. */
  isCurrent(inode: number): boolean {
    return this.#inode("log") === inode;
  }

  /** True when conmon writes into a later segment than `number`: no byte will be added to it. */
  isComplete(number: number): boolean {
    return number < this.#lastPin - 1 || (number === this.#lastPin - 1 && this.#inode("log.tmp") !== this.#lastPinInode);
  }

  /** The segment with this number, or the first one after it; the very first when all are older (the spool is a new one). */
  open(number: number): OpenSegment {
    const pins = this.#pins();
    const found = pins.find((pin) => pin >= number) ?? pins[0] ?? this.#lastPin;
    return { number: found, descriptor: openSync(this.#path(`${pinPrefix}${found}`), constants.O_RDWR) };
  }

  /** Forgets the segments before `number`; open descriptors still read them. */
  removeBefore(number: number): void {
    for (const pin of this.#pins()) if (pin < number) rmSync(this.#path(`${pinPrefix}${pin}`), { force: true });
  }

  /** Removes every file of the spool, once conmon is gone and all is read. */
  removeAll(): void {
    for (const name of readdirSync(this.#folder)) {
      if (name === "log" || name === "log.tmp" || name.startsWith(pinPrefix)) rmSync(this.#path(name), { force: true });
    }
  }

  /** Pins `log` itself when no pin holds it: conmon went through more files than were pinned. */
  #pinCurrent(next: number): void {
    const current = this.#inode("log");
    if (current === this.#lastPinInode || current === next) return;
    // Whether there was another file in between cannot be known: a number is left out.
    this.#addPin(this.#path("log"), this.#lastPin + 2);
  }

  #addPin(source: string, number: number): void {
    const name = `${pinPrefix}${number}`;
    const [from, to] = [cString(source), cString(this.#path(name))];
    check(libc.linkat(AT_FDCWD, from, AT_FDCWD, to, AT_SYMLINK_FOLLOW), `link ${this.#path(name)}`);
    this.#lastPin = number;
    // conmon may have moved on since the look at `log`: what was linked counts.
    this.#lastPinInode = this.#inode(name);
  }

  #pins(): number[] {
    return readdirSync(this.#folder)
      .filter((name) => name.startsWith(pinPrefix))
      .map((name) => Number(name.slice(pinPrefix.length)))
      .filter(Number.isSafeInteger)
      .sort((a, b) => a - b);
  }

  #path(name: string): string {
    return `${this.#folder}/${name}`;
  }

  /** 0 when there is no such file. */
  #inode(name: string): number {
    return statSync(this.#path(name), { throwIfNoEntry: false })?.ino ?? 0;
  }
}
