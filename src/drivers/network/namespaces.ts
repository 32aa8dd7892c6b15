import { randomBytes } from "node:crypto";
import { makeSpareNamespace, nameNamespace, takeNamespace, type NamedNamespace, type SpareNamespace } from "./sandbox.ts";

/** Network namespaces before they belong to a sandbox: one made ahead for whoever comes next, and those with a name for a container. */
export class Namespaces {
  readonly #folder: string;
  readonly #remove: (path: string) => void;
  #spare: SpareNamespace | undefined;
  /** Of containers that have no sandbox yet. */
  readonly #reserved = new Map<string, NamedNamespace>();

  /** @param folder  where they are attached. @param remove  takes one away, in its own time */
  constructor(folder: string, remove: (path: string) => void) {
    this.#folder = folder;
    this.#remove = remove;
  }

  prepare(): void {
    this.#spare ??= makeSpareNamespace();
  }

  /** @returns the path */
  reserve(containerId: string): string {
    const namespace = this.#name(containerId, this.#takeSpare());
    this.drop(containerId);
    this.#reserved.set(containerId, namespace);
    return namespace.path;
  }

  /** The given one (a descriptor), else the container's, else a new one. It is the caller's. */
  take(containerId: string, given: number | undefined): NamedNamespace {
    if (given !== undefined) return this.#name(containerId, takeNamespace(given));
    const namespace = this.#reserved.get(containerId);
    this.#reserved.delete(containerId);
    return namespace ?? this.#name(containerId, this.#takeSpare());
  }

  /** Takes the container's away; success when it has none. */
  drop(containerId: string): void {
    const namespace = this.#reserved.get(containerId);
    if (!namespace) return;
    this.#reserved.delete(containerId);
    namespace.route[Symbol.dispose]();
    this.#remove(namespace.path);
  }

  close(): void {
    this.#spare?.[Symbol.dispose]();
    this.#spare = undefined;
    for (const containerId of this.#reserved.keys()) this.drop(containerId);
  }

  /** A name of its own each time: the namespace of an earlier run may still be on its way out. */
  #name(containerId: string, spare: SpareNamespace): NamedNamespace {
    return nameNamespace(spare, `${this.#folder}/${containerId.slice(0, 12)}-${randomBytes(3).toString("hex")}`);
  }

  #takeSpare(): SpareNamespace {
    const spare = this.#spare ?? makeSpareNamespace();
    this.#spare = undefined;
    return spare;
  }
}
