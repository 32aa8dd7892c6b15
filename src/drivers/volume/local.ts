import { chown, mkdir, readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { syncFolder } from "#lib/disk.ts";
import { KeyedMutex } from "#lib/async.ts";
import { EngineError } from "#lib/errors.ts";
import type { Kernel } from "#os/kernel.ts";
import { readMounts } from "#os/mount.ts";
import { treeUsage } from "#os/tree-usage.ts";
import type { ProjectQuotas } from "../quota/project-quotas.ts";
import type { HelperPool } from "../snapshot/helper-process.ts";
import { hasFolder } from "./copy-up.ts";
import { isMounted, validateLocalOptions } from "./local-options.ts";
import { mountVolume } from "./mount-volume.ts";
import type { DriverVolume, VolumeDriver, VolumeOptions } from "./types.ts";

export interface LocalVolumeParts {
  readonly root: string;
  readonly kernel: Kernel;
  readonly helpers: HelperPool;
  /** Of the root. */
  readonly quotas: ProjectQuotas;
  /** Of new volumes: the containers' root, where that is not the host's. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** Volumes as folders `<root>/NAME/_data`. With options (`type`, `device`, `o`) they say what is mounted there while somebody uses it. */
export class LocalVolumeDriver implements VolumeDriver {
  readonly name = "local";
  readonly #root: string;
  readonly #kernel: Kernel;
  readonly #helpers: HelperPool;
  readonly #quotas: ProjectQuotas;
  readonly #owner: { readonly uid: number; readonly gid: number } | undefined;
  readonly #locks = new KeyedMutex();
  /** How often each volume with mount options is in use. */
  readonly #uses = new Map<string, number>();

  constructor({ root, kernel, helpers, quotas, owner }: LocalVolumeParts) {
    this.#root = root;
    this.#owner = owner;
    this.#kernel = kernel;
    this.#helpers = helpers;
    this.#quotas = quotas;
  }

  path(name: string): string {
    return join(this.#root, name, "_data");
  }

  isMount(options: VolumeOptions): boolean {
    return isMounted(options);
  }

  async create(name: string, options: VolumeOptions): Promise<DriverVolume> {
    const sizeBytes = validateLocalOptions(name, options, this.#quotas.lack === undefined);
    // The root is closed to others; the data itself is the container's business.
    await mkdir(this.#root, { recursive: true, mode: 0o701 });
    await mkdir(join(this.#root, name), { recursive: true, mode: 0o701 });
    const isNew = (await mkdir(this.path(name), { recursive: true, mode: 0o755 })) !== undefined;
    if (isNew && this.#owner) await chown(this.path(name), this.#owner.uid, this.#owner.gid);
    // Left by a kill before it was on record.
    if (!isNew) await this.#quotas.release(this.path(name));
    const projectQuota = sizeBytes === 0 ? undefined : { id: await this.#quotas.allot(), sizeBytes };
    const volume = { name, options, ...(projectQuota && { projectQuota }) };
    try {
      await this.keepLimit(volume);
    } catch (error) {
      if (isNew) await this.remove(volume);
      this.#quotas.free(projectQuota);
      throw error;
    }
    await syncFolder(join(this.#root, name));
    await syncFolder(this.#root);
    return volume;
  }

  async keepLimit({ name, projectQuota }: DriverVolume): Promise<void> {
    if (projectQuota) await this.#quotas.limit(this.path(name), projectQuota);
  }

  async remove({ name, options, projectQuota }: DriverVolume): Promise<void> {
    if (isMounted(options)) await this.#locks.run(name, () => this.#unmountAll(name));
    if (projectQuota) await this.#quotas.release(this.path(name));
    await this.#kernel.run({ type: "remove-tree", path: join(this.#root, name) });
    this.#quotas.free(projectQuota);
  }

  async mount(volume: DriverVolume): Promise<string> {
    const { name, options } = volume;
    await stat(this.path(name)).catch(() => {
      throw new EngineError("not_found", `volume ${name}: its data folder ${this.path(name)} is missing`);
    });
    await this.keepLimit(volume);
    if (isMounted(options)) await this.#locks.run(name, () => this.#use(name, options));
    return this.path(name);
  }

  async #use(name: string, options: VolumeOptions): Promise<void> {
    const uses = this.#uses.get(name) ?? 0;
    if (uses === 0) await mountVolume({ kernel: this.#kernel, helpers: this.#helpers }, options, this.path(name));
    this.#uses.set(name, uses + 1);
  }

  async unmount(name: string): Promise<void> {
    if (!this.#uses.has(name)) return; // a folder
    await this.#locks.run(name, async () => {
      const left = (this.#uses.get(name) ?? 0) - 1;
      if (left > 0) return void this.#uses.set(name, left);
      this.#uses.delete(name);
      await this.#kernel.run({ type: "umount", target: this.path(name) });
    });
  }

  adopt(name: string, options: VolumeOptions): void {
    if (isMounted(options)) this.#uses.set(name, (this.#uses.get(name) ?? 0) + 1);
  }

  async unmountUnused(volumes: readonly { readonly name: string; readonly options: VolumeOptions }[]): Promise<void> {
    for (const { name, options } of volumes)
      if (isMounted(options) && !this.#uses.has(name)) await this.#locks.run(name, () => this.#unmountAll(name));
  }

  /** @throws {EngineError} `conflict` while something is mounted: a removal must not go into it */
  async #unmountAll(name: string): Promise<void> {
    const target = this.path(name);
    const isTarget = (mount: { readonly target: string }): boolean => mount.target === target || mount.target.startsWith(`${target}/`);
    for (const mount of readMounts().filter(isTarget).reverse()) await this.#kernel.run({ type: "umount", target: mount.target });
    if (readMounts().some(isTarget)) throw new EngineError("conflict", `remove ${name}: ${target} is still mounted`);
  }

  async populate(name: string, rootfs: string, path: string): Promise<void> {
    const target = this.path(name);
    if ((await readdir(target)).length > 0 || !hasFolder(rootfs, path)) return;
    await this.#helpers.run("copy-up", { rootfs, path, target }, new AbortController().signal);
  }

  async usage(name: string, options: VolumeOptions): Promise<number> {
    return isMounted(options) ? 0 : (await treeUsage(this.path(name))).allocatedBytes;
  }
}
