import type { MetadataStore } from "#drivers/metadata/store.ts";
import type { DriverVolume, VolumeDriver } from "#drivers/volume/types.ts";
import { KeyedMutex } from "#lib/async.ts";
import { EngineError } from "#lib/errors.ts";
import { randomId } from "#lib/id.ts";
import type { VolumeRecord } from "#types/record/volume.ts";
import type { EventBus } from "../event/bus.ts";

export interface VolumeCreateRequest {
  readonly name?: string;
  readonly driver?: string;
  readonly options?: Readonly<Record<string, string>> | null;
  readonly labels?: Readonly<Record<string, string>> | null;
  readonly anonymous?: boolean;
}

/** Where a container has a volume. */
export interface VolumePlace {
  readonly destination: string;
  readonly propagation: string;
  readonly writable: boolean;
}

const namePattern = /^[a-zA-Z0-9][a-zA-Z0-9_.-]+$/;
/** Label of volumes that were made without a name. */
export const anonymousLabel = "com.docker.volume.anonymous";

/** Named data: records, who uses what, and the driver that keeps it. */
export class VolumeService {
  readonly #store: MetadataStore;
  readonly #events: EventBus;
  readonly #drivers: ReadonlyMap<string, VolumeDriver>;
  readonly #locks = new KeyedMutex();
  /** Containers that have a volume, by volume. Rebuilt from the containers' records at start. */
  readonly #users = new Map<string, Set<string>>();

  constructor(store: MetadataStore, events: EventBus, drivers: ReadonlyMap<string, VolumeDriver>) {
    this.#store = store;
    this.#events = events;
    this.#drivers = drivers;
  }

  list(): VolumeRecord[] {
    return [...this.#store.table("volume").values()];
  }

  /** @throws {EngineError} `not_found` with Docker's text */
  get(name: string): VolumeRecord {
    const record = this.#store.table("volume").get(name);
    if (!record) throw new EngineError("not_found", `get ${name}: no such volume`);
    return record;
  }

  path(record: VolumeRecord): string {
    return this.#driver(record.driver).path(record.name);
  }

  /** It is no folder, but something that is mounted while it is used. */
  isMount(name: string): boolean {
    const record = this.#store.table("volume").get(name);
    return record !== undefined && this.#driver(record.driver).isMount(record.options ?? {});
  }

  usage(record: VolumeRecord): Promise<number> {
    return this.#driver(record.driver).usage(record.name, record.options ?? {});
  }

  users(name: string): ReadonlySet<string> {
    return this.#users.get(name) ?? new Set();
  }

  /** Makes a volume; one of that name with the same driver is returned as it is. @throws {EngineError} `conflict`, `invalid`, `not_found` */
  create(request: VolumeCreateRequest): Promise<VolumeRecord> {
    const name = request.name || randomId();
    if (!namePattern.test(name)) {
      const hint = "If you intended to pass a host directory, use absolute path";
      throw new EngineError(
        "invalid",
        name.length < 2
          ? `create ${name}: volume name is too short, names should be at least two alphanumeric characters`
          : `create ${name}: ${JSON.stringify(name)} includes invalid characters for a local volume name, only "[a-zA-Z0-9][a-zA-Z0-9_.-]" are allowed. ${hint}`,
      );
    }
    return this.#locks.run(name, () => this.#createLocked(name, request));
  }

  async #createLocked(name: string, request: VolumeCreateRequest): Promise<VolumeRecord> {
    const driverName = request.driver || "local";
    const driver = this.#driver(driverName, name);
    const existing = this.#store.table("volume").get(name);
    if (existing) {
      if (request.driver && existing.driver !== driverName) {
        throw new EngineError("conflict", `create ${name}: conflict: volume name must be unique`);
      }
      return existing;
    }
    const anonymous = request.anonymous ?? !request.name;
    const wanted: VolumeRecord = {
      name,
      driver: driverName,
      options: request.options ?? null,
      labels: anonymous ? { ...request.labels, [anonymousLabel]: "" } : (request.labels ?? null),
      createdAt: new Date().toISOString().replace(/\.\d+Z$/, "Z"),
      anonymous,
    };
    const made = await driver.create(name, request.options ?? {});
    const record = { ...wanted, ...(made.projectQuota && { projectQuota: made.projectQuota }) };
    try {
      await this.#store.update((transaction) => transaction.put("volume", name, record));
    } catch (error) {
      await driver.remove(made);
      throw error;
    }
    this.#events.emit("volume", "create", name, { driver: driverName });
    return record;
  }

  /** @throws {EngineError} `conflict` when a container has it, `not_found` unless `force` */
  remove(name: string, force: boolean): Promise<void> {
    return this.#locks.run(name, async () => {
      const record = this.#store.table("volume").get(name);
      if (!record) {
        if (force) return;
        throw new EngineError("not_found", `get ${name}: no such volume`);
      }
      const users = [...this.users(name)];
      if (users.length > 0) throw new EngineError("conflict", `remove ${name}: volume is in use - [${users.join(", ")}]`);
      await this.#store.update((transaction) => transaction.remove("volume", name));
      await this.#driver(record.driver).remove(asMade(record));
      this.#events.emit("volume", "destroy", name, { driver: record.driver });
    });
  }

  announcePrune(reclaimedBytes: number): void {
    this.#events.emit("volume", "prune", "", { reclaimed: String(reclaimedBytes) });
  }

  /** A container has the volume from its creation to its removal. */
  addUser(name: string, containerId: string): void {
    this.#users.set(name, (this.#users.get(name) ?? new Set()).add(containerId));
  }

  removeUser(name: string, containerId: string): void {
    const users = this.#users.get(name);
    users?.delete(containerId);
    if (users?.size === 0) this.#users.delete(name);
  }

  /** Makes the data available to a container that starts. */
  async mount(name: string, containerId: string, place: VolumePlace): Promise<string> {
    const record = this.get(name);
    const path = await this.#driver(record.driver).mount(asMade(record));
    this.#events.emit("volume", "mount", name, {
      container: containerId,
      destination: place.destination,
      driver: record.driver,
      propagation: place.propagation,
      "read/write": String(place.writable),
    });
    return path;
  }

  /** A container that runs since before this daemon has it mounted. */
  adopt(name: string): void {
    const record = this.#store.table("volume").get(name);
    if (record) this.#driver(record.driver).adopt(name, record.options ?? {});
  }

  /** Its size is limited by the file system: what lifts that limit must be kept from who writes to it. */
  isLimited(name: string): boolean {
    return this.#store.table("volume").get(name)?.projectQuota !== undefined;
  }

  /** At the start of the daemon: limits are in force as they were. @param failed  told of each that is not */
  async keepLimits(failed: (name: string, error: unknown) => void): Promise<void> {
    for (const record of this.list()) {
      if (!record.projectQuota) continue;
      await this.#driver(record.driver)
        .keepLimit(asMade(record))
        .catch((error: unknown) => failed(record.name, error));
    }
  }

  /** After the last `adopt`: what a kill has left mounted goes. */
  async unmountUnused(): Promise<void> {
    for (const driver of this.#drivers.values()) {
      const own = this.list().filter((record) => record.driver === driver.name);
      await driver.unmountUnused(own.map(({ name, options }) => ({ name, options: options ?? {} })));
    }
  }

  /** What the image has at the mount's place, into a volume that is still empty. */
  populate(name: string, rootfs: string, path: string): Promise<void> {
    return this.#driver(this.get(name).driver).populate(name, rootfs, path);
  }

  async unmount(name: string, containerId: string): Promise<void> {
    const record = this.#store.table("volume").get(name);
    if (!record) return;
    await this.#driver(record.driver).unmount(name);
    this.#events.emit("volume", "unmount", name, { container: containerId, driver: record.driver });
  }

  #driver(name: string, volume = name): VolumeDriver {
    const driver = this.#drivers.get(name);
    if (!driver) {
      throw new EngineError(
        "not_found",
        `create ${volume}: error looking up volume plugin ${name}: plugin ${JSON.stringify(name)} not found`,
      );
    }
    return driver;
  }
}

function asMade({ name, options, projectQuota }: VolumeRecord): DriverVolume {
  return { name, options: options ?? {}, ...(projectQuota && { projectQuota }) };
}
