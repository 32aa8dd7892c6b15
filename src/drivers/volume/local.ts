import { mkdir, open, readdir, lstat, stat } from "node:fs/promises";
import { join } from "node:path";
import { EngineError } from "#lib/errors.ts";
import type { Kernel } from "#os/kernel.ts";
import type { HelperPool } from "../snapshot/helper-process.ts";
import { hasFolder } from "./copy-up.ts";
import type { VolumeDriver } from "./types.ts";

/** Volumes as folders `<root>/NAME/_data`. Mount options (`type`, `device`, `o`) are refused until they are carried out. */
export class LocalVolumeDriver implements VolumeDriver {
  readonly name = "local";
  readonly #root: string;
  readonly #kernel: Kernel;
  readonly #helpers: HelperPool;

  constructor(root: string, kernel: Kernel, helpers: HelperPool) {
    this.#root = root;
    this.#kernel = kernel;
    this.#helpers = helpers;
  }

  path(name: string): string {
    return join(this.#root, name, "_data");
  }

  async create(name: string, options: Readonly<Record<string, string>>): Promise<void> {
    checkOptions(name, options);
    // The root is closed to others; the data itself is the container's business.
    await mkdir(this.#root, { recursive: true, mode: 0o701 });
    await mkdir(join(this.#root, name), { recursive: true, mode: 0o701 });
    await mkdir(this.path(name), { recursive: true, mode: 0o755 });
    await syncFolder(join(this.#root, name));
    await syncFolder(this.#root);
  }

  remove(name: string): Promise<void> {
    return this.#kernel.run({ type: "remove-tree", path: join(this.#root, name) });
  }

  async mount(name: string): Promise<string> {
    await stat(this.path(name)).catch(() => {
      throw new EngineError("not_found", `volume ${name}: its data folder ${this.path(name)} is missing`);
    });
    return this.path(name);
  }

  async unmount(): Promise<void> {}

  async populate(name: string, rootfs: string, path: string): Promise<void> {
    const target = this.path(name);
    if ((await readdir(target)).length > 0 || !hasFolder(rootfs, path)) return;
    await this.#helpers.run("copy-up", { rootfs, path, target }, new AbortController().signal);
  }

  async usage(name: string): Promise<number> {
    return treeBytes(this.path(name));
  }
}

const knownOptions = ["type", "device", "o", "size"];

/** @throws {EngineError} `invalid` with Docker's texts, `not_implemented` for what Docker would mount */
function checkOptions(name: string, options: Readonly<Record<string, string>>): void {
  const fail = (reason: string): EngineError => new EngineError("invalid", `create ${name}: ${reason}`);
  const given = Object.keys(options).filter((option) => options[option] !== "");
  for (const option of Object.keys(options)) if (!knownOptions.includes(option)) throw fail(`invalid option: ${JSON.stringify(option)}`);
  const mounts = given.some((option) => option !== "size");
  for (const option of ["device", "type"])
    if (mounts && !given.includes(option)) throw fail(`missing required option: ${JSON.stringify(option)}`);
  const [first] = given;
  if (first === undefined) return;
  throw new EngineError("not_implemented", `create ${name}: option ${JSON.stringify(first)} of the local driver is not implemented yet`);
}

async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } finally {
    await folder.close();
  }
}

/** Apparent bytes of all files; what vanishes meanwhile counts nothing. */
async function treeBytes(folder: string): Promise<number> {
  let total = 0;
  const pending = [folder];
  for (let path = pending.pop(); path !== undefined; path = pending.pop()) {
    const entries = await readdir(path, { withFileTypes: true }).catch(() => []);
    for (const entry of entries) {
      const child = join(path, entry.name);
      if (entry.isDirectory()) pending.push(child);
      else
        total += await lstat(child).then(
          ({ size }) => size,
          () => 0,
        );
    }
  }
  return total;
}
