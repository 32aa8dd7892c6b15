import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A disk of its own, that can be filled and can lose its power: a file with ext4 in it, mounted. */
export class Disk implements Disposable {
  readonly path: string;
  readonly #folder: string;
  readonly #image: string;

  constructor(size = "128M") {
    this.#folder = mkdtempSync(join(tmpdir(), "gantry-disk-"));
    this.#image = join(this.#folder, "image");
    this.path = join(this.#folder, "disk");
    mkdirSync(this.path);
    run("truncate", "-s", size, this.#image);
    run("mkfs.ext4", "-q", "-F", this.#image);
    this.#mount();
  }

  /** Takes all room that is left, for root too. */
  fill(): void {
    Bun.spawnSync(["dd", "if=/dev/zero", `of=${this.path}/fill`, "bs=64k"], { stdio: ["ignore", "ignore", "ignore"] });
  }

  free(): void {
    rmSync(join(this.path, "fill"), { force: true });
  }

  /**
   * What a power loss at this moment leaves: the blocks that have reached the disk, without what waits in memory. Nobody may use the disk
   * when it is taken back to that by `loseSince`.
   */
  now(): string {
    const copy = join(this.#folder, `copy-${performance.now()}`);
    copyFileSync(this.#image, copy);
    return copy;
  }

  loseSince(copy: string): void {
    umount(this.path);
    copyFileSync(copy, this.#image);
    rmSync(copy);
    this.#mount();
  }

  [Symbol.dispose](): void {
    umount(this.path);
    rmSync(this.#folder, { recursive: true, force: true });
  }

  #mount(): void {
    // Nothing is written back by itself while a test runs.
    run("mount", "-o", "loop,commit=600", this.#image, this.path);
  }
}

/** Of a daemon that was killed, the monitor that waited for its next container may still be on its way out. */
function umount(path: string): void {
  const end = performance.now() + 5000;
  for (;;) {
    try {
      return run("umount", path);
    } catch (error) {
      if (performance.now() > end) throw error;
      Bun.sleepSync(20);
    }
  }
}

function run(...command: string[]): void {
  const { exitCode, stderr } = Bun.spawnSync(command, { stderr: "pipe" });
  if (exitCode !== 0) throw new Error(`${command.join(" ")}: ${stderr.toString()}`);
}
