import type { MetadataStore, Survival } from "#drivers/metadata/store.ts";
import { EngineError } from "#lib/errors.ts";
import type { ContainerLink, ContainerRecord, ContainerState } from "#types/record/container.ts";
import { applyChange, type ContainerChange } from "./state.ts";

/** The containers by id, name and prefix, over the store's table. */
export class ContainerRegistry {
  readonly #store: MetadataStore;
  readonly #names = new Map<string, string>();
  /** Containers that have a link to another, by the other's id. */
  readonly #linking = new Map<string, Set<string>>();

  constructor(store: MetadataStore) {
    this.#store = store;
    for (const record of this.all()) {
      this.#names.set(record.name, record.id);
      this.#noteLinks(record);
    }
  }

  all(): IterableIterator<ContainerRecord> {
    return this.#store.table("container").values();
  }

  get size(): number {
    return this.#store.table("container").size;
  }

  /** @throws {EngineError} `not_found` */
  get(id: string): ContainerRecord {
    const record = this.#store.table("container").get(id);
    if (!record) throw new EngineError("not_found", `No such container: ${id}`);
    return record;
  }

  peek(id: string): ContainerRecord | undefined {
    return this.#store.table("container").get(id);
  }

  /** By full id, then name, then unambiguous prefix of an id, as Docker. @throws {EngineError} `not_found`, `invalid` when ambiguous */
  find(text: string): ContainerRecord {
    const found = this.lookup(text);
    if (!found) throw new EngineError("not_found", `No such container: ${text}`);
    return found;
  }

  lookup(text: string): ContainerRecord | undefined {
    const exact = this.#store.table("container").get(text);
    if (exact) return exact;
    const named = this.#names.get(text.startsWith("/") ? text.slice(1) : text);
    if (named !== undefined) return this.#store.table("container").get(named);
    if (text.includes("/")) return this.#byLink(text);
    if (!/^[0-9a-f]+$/.test(text)) return undefined;
    const matches = [...this.all()].filter((record) => record.id.startsWith(text));
    if (matches.length > 1) throw new EngineError("invalid", `Multiple IDs found with provided prefix: ${text}`);
    return matches[0];
  }

  /** `CONTAINER/ALIAS` is another name of the container that the first one is linked to. */
  #byLink(text: string): ContainerRecord | undefined {
    const found = this.findLink(text);
    return found && this.peek(found.link.containerId);
  }

  findLink(text: string): { readonly record: ContainerRecord; readonly link: ContainerLink } | undefined {
    const [, name = "", alias = ""] = /^\/?([^/]+)\/([^/]+)$/.exec(text) ?? [];
    const id = this.#names.get(name);
    const record = id === undefined ? undefined : this.peek(id);
    const link = record?.links?.find((candidate) => candidate.alias === alias);
    return record && link && { record, link };
  }

  /** Containers with a link to this one. */
  linkingTo(id: string): ContainerRecord[] {
    return [...(this.#linking.get(id) ?? [])].flatMap((linking) => this.peek(linking) ?? []);
  }

  #noteLinks({ id, links = [] }: ContainerRecord): void {
    for (const { containerId } of links) this.#linking.set(containerId, (this.#linking.get(containerId) ?? new Set()).add(id));
  }

  #forgetLinks({ id, links = [] }: ContainerRecord): void {
    for (const { containerId } of links) {
      const linking = this.#linking.get(containerId);
      linking?.delete(id);
      if (linking?.size === 0) this.#linking.delete(containerId);
    }
  }

  /** @throws {EngineError} `not_found` */
  async removeLink(text: string): Promise<ContainerRecord> {
    const found = this.findLink(text);
    if (!found) throw new EngineError("not_found", `No such container: ${text}`);
    this.#forgetLinks(found.record);
    const changed = await this.update(found.record.id, (now) => ({
      ...now,
      links: (now.links ?? []).filter(({ alias }) => alias !== found.link.alias),
    }));
    this.#noteLinks(changed);
    return changed;
  }

  idOfName(name: string): string | undefined {
    return this.#names.get(name);
  }

  /** Takes the name and writes the record; answered when it is there for the next daemon. @throws {EngineError} `conflict` with Docker's text */
  async add(record: ContainerRecord): Promise<void> {
    const owner = this.#names.get(record.name);
    if (owner !== undefined) throw nameConflict(record.name, owner);
    this.#names.set(record.name, record.id);
    try {
      await this.#store.update((transaction) => transaction.put("container", record.id, record), survival(record));
    } catch (error) {
      this.#names.delete(record.name);
      throw error;
    }
    this.#noteLinks(record);
  }

  /** Somebody asked for it: on disk before the answer. */
  async update(id: string, change: (record: ContainerRecord) => ContainerRecord): Promise<ContainerRecord> {
    const record = change(this.get(id));
    await this.#store.update((transaction) => transaction.put("container", id, record));
    return record;
  }

  async rename(id: string, name: string): Promise<void> {
    const owner = this.#names.get(name);
    if (owner !== undefined) throw nameConflict(name, owner);
    const before = this.get(id);
    this.#names.set(name, id);
    try {
      const linking = this.linkingTo(id).map((record) => ({
        ...record,
        links: (record.links ?? []).map((link) => (link.containerId === id ? { ...link, name } : link)),
      }));
      await this.#store.update((transaction) => {
        transaction.put("container", id, { ...this.get(id), name });
        for (const record of linking) transaction.put("container", record.id, record);
      });
      this.#names.delete(before.name);
    } catch (error) {
      this.#names.delete(name);
      throw error;
    }
  }

  /** Something happened to it. The record changes at once; the promise settles when it is on disk (later, on a full one). */
  change(id: string, change: ContainerChange, also: Partial<ContainerRecord> = {}): Promise<void> {
    const record = this.get(id);
    return this.#observe({ ...record, ...also, state: applyChange(record.state, change) });
  }

  /** Like `change`, for what is no change of state. */
  note(id: string, also: Partial<Omit<ContainerRecord, "state">>): Promise<void> {
    return this.#observe({ ...this.get(id), ...also });
  }

  /** Sets a state that was found, not reached: at a restart of the daemon. */
  restore(id: string, state: ContainerState, also: Partial<ContainerRecord> = {}): Promise<void> {
    return this.#observe({ ...this.get(id), ...also, state });
  }

  /** Forgets container and name. */
  remove(id: string): Promise<void> {
    const record = this.get(id);
    this.#names.delete(record.name);
    this.#forgetLinks(record);
    return this.#store.observe((transaction) => transaction.remove("container", id), survival(record));
  }

  #observe(record: ContainerRecord): Promise<void> {
    return this.#store.observe((transaction) => transaction.put("container", record.id, record), survival(record));
  }
}

/** An AutoRemove container does not outlive the machine, and its record need not: unless volumes were made for it. */
function survival({ volatile, mounts }: ContainerRecord): Survival {
  return volatile && mounts.length === 0 ? "daemon" : "power-loss";
}

function nameConflict(name: string, owner: string): EngineError {
  return new EngineError(
    "conflict",
    `Conflict. The container name "/${name}" is already in use by container "${owner}". You have to remove (or rename) that container to be able to reuse that name.`,
  );
}
