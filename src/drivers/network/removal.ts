import { messageOf } from "#lib/errors.ts";
import type { Instance } from "#lib/instance.ts";
import type { Logger } from "#lib/log.ts";
import type { Kernel } from "#os/kernel.ts";
import { listNetworkNamespaces, removeNetworkNamespace } from "#os/netns.ts";
import type { RouteSocket } from "#os/netlink/route-socket.ts";
import { isOwnBridge, isOwnVeth } from "./bridge.ts";

/** What is known to belong to somebody, by name. */
export interface Owned {
  readonly bridges: ReadonlySet<string>;
  readonly hostLinks: ReadonlySet<string>;
  readonly namespaces: ReadonlySet<string>;
}

/** Takes away links and namespaces, on the kernel worker: it may have to wait. */
export class Removal {
  readonly #kernel: Kernel;
  readonly #log: Logger;
  readonly #pending = new Set<Promise<void>>();

  constructor(kernel: Kernel, log: Logger) {
    this.#kernel = kernel;
    this.#log = log;
  }

  /** Success when it is gone already. */
  removeLink(name: string): Promise<void> {
    return this.#kernel.run({ type: "remove-link", name });
  }

  removeLinkLater(name: string): void {
    this.#later(this.removeLink(name), "cannot remove link", name);
  }

  removeNamespaceLater(path: string): void {
    this.#later(removeNetworkNamespace(this.#kernel, path), "cannot remove network namespace", path);
  }

  /** Links and namespaces that carry the instance's name and belong to nobody that is known. */
  async removeOrphans(instance: Instance, route: RouteSocket, folder: string, owned: Owned): Promise<void> {
    const orphans = route
      .links()
      .filter(
        (link) =>
          (isOwnVeth(instance, link) && !owned.hostLinks.has(link.name)) || (isOwnBridge(instance, link) && !owned.bridges.has(link.name)),
      );
    for (const link of orphans) {
      this.#log.info("removing orphaned link", { link: link.name });
      await this.removeLink(link.name);
    }
    for (const name of listNetworkNamespaces(folder)) {
      if (owned.namespaces.has(name)) continue;
      this.#log.info("removing orphaned network namespace", { name });
      await removeNetworkNamespace(this.#kernel, `${folder}/${name}`);
    }
  }

  /** Resolves when everything that was to go later has gone. */
  async settled(): Promise<void> {
    await Promise.all(this.#pending);
  }

  #later(work: Promise<void>, complaint: string, name: string): void {
    const removal = work
      .catch((error: unknown) => this.#log.error(complaint, { name, error: messageOf(error) }))
      .finally(() => this.#pending.delete(removal));
    this.#pending.add(removal);
  }
}
