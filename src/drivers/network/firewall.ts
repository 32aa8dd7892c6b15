import type { Logger } from "#lib/log.ts";
import { messageOf } from "#lib/errors.ts";
import type { Family } from "#os/netlink/ip-address.ts";
import { SystemError } from "#os/libc.ts";
import { NftablesSocket, type ElementChange, type Table } from "#os/nftables/nftables-socket.ts";
import { listRuleset, loadRuleset } from "#os/nftables/ruleset.ts";
import { linkedElement, networkElements, portElements, type FirewallElement, type LinkedFlow } from "./firewall-elements.ts";
import { hostForwardingChains, tableScript } from "./firewall-table.ts";
import { allowInHostFilter, removeFromHostFilter } from "./host-filter.ts";
import type { PortLease } from "./ports.ts";
import type { NetworkConfig } from "./types.ts";

const watchIntervalMilliseconds = 5000;

/**
 * The nft table of this instance. What it must hold is kept in memory; single changes go to the kernel as elements (10 µs), the nft
 * program runs only when the whole table is made or found damaged.
 */
export class Firewall {
  readonly lack = undefined;
  readonly #table: Table;
  readonly #log: Logger;
  readonly #socket = new NftablesSocket();
  readonly #wanted = new Map<string, FirewallElement>();
  readonly #bridges = new Set<string>();
  readonly #guardedFamilies = new Set<Family>();
  #ruleCount = 0;
  #generation = -1;
  #rebuilding: Promise<void> | undefined;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(tableName: string, log: Logger) {
    this.#table = { family: "inet", name: tableName };
    this.#log = log;
  }

  /**
   * Forwarding of these families was off on this host and is switched on for the containers: everybody else's packets stay unforwarded. In
   * effect from the next `rebuild`. @returns true when that is still to come
   */
  guardHostForwarding(families: readonly Family[]): boolean {
    const known = this.#guardedFamilies.size;
    for (const family of families) this.#guardedFamilies.add(family);
    return this.#guardedFamilies.size > known;
  }

  /** Forgets everything, to be told anew by a restore. The table itself stays until `rebuild`. */
  async reset(): Promise<void> {
    this.#wanted.clear();
    this.#bridges.clear();
    await this.#recallGuardedFamilies();
  }

  /** Remembers a network for the next `rebuild`. */
  include(network: NetworkConfig): void {
    this.#bridges.add(network.bridge);
    this.#remember(networkElements(network));
  }

  /** Remembers ports for the next `rebuild`. */
  includePorts(leases: readonly PortLease[]): void {
    this.#remember(leases.flatMap(portElements));
  }

  async addNetwork(network: NetworkConfig): Promise<void> {
    this.include(network);
    await this.#add(networkElements(network));
    await allowInHostFilter(this.#socket, this.#table.name, this.#bridges);
  }

  async removeNetwork(network: NetworkConfig): Promise<void> {
    this.#bridges.delete(network.bridge);
    this.#delete(networkElements(network));
    await allowInHostFilter(this.#socket, this.#table.name, this.#bridges);
  }

  /** The ports lead to their containers when it returns. */
  async publish(leases: readonly PortLease[]): Promise<void> {
    const elements = leases.flatMap(portElements);
    this.#remember(elements);
    await this.#add(elements);
  }

  /** Remembers what linked containers may do, for the next `rebuild`. */
  includeLinked(flows: readonly LinkedFlow[]): void {
    this.#remember(flows.map(linkedElement));
  }

  async admit(flows: readonly LinkedFlow[]): Promise<void> {
    this.includeLinked(flows);
    await this.#add(flows.map(linkedElement));
  }

  refuse(flows: readonly LinkedFlow[]): void {
    this.#delete(flows.map(linkedElement));
  }

  unpublish(leases: readonly PortLease[]): void {
    this.#delete(leases.flatMap(portElements));
  }

  /** Makes the table anew from memory, in one transaction. Calls that overlap share one run. */
  async rebuild(): Promise<void> {
    this.#rebuilding ??= this.#load().finally(() => (this.#rebuilding = undefined));
    await this.#rebuilding;
  }

  /** Looks from time to time whether somebody took the table away (`nft flush ruleset`, a firewall's reload) and puts it back. */
  watch(): void {
    this.#timer ??= setInterval(() => {
      this.check().catch((error: unknown) => this.#log.error("cannot restore firewall table", { error: messageOf(error) }));
    }, watchIntervalMilliseconds);
    this.#timer.unref();
  }

  /** Restores the table when it is not whole. Costs one message while nobody has changed any rule. */
  async check(): Promise<void> {
    const generation = this.#socket.generation();
    if (generation === this.#generation) return;
    if (this.#socket.ruleCount(this.#table) !== this.#ruleCount) {
      this.#log.warn("firewall table was changed by somebody else, restoring it", { table: this.#table.name });
      await this.rebuild();
    } else {
      await allowInHostFilter(this.#socket, this.#table.name, this.#bridges);
    }
    this.#generation = this.#socket.generation();
  }

  /** Takes the table and the jump in the host's filter away. */
  async purge(): Promise<void> {
    this.#unwatch();
    this.#wanted.clear();
    this.#bridges.clear();
    this.#socket.removeTable(this.#table);
    await removeFromHostFilter(this.#socket, this.#table.name);
  }

  /** Ends the watch; the table stays. Nothing may be called afterwards. */
  close(): void {
    this.#unwatch();
    this.#socket.closeInBackground();
  }

  #unwatch(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  async #load(): Promise<void> {
    await loadRuleset(tableScript(this.#table.name, this.#wanted.values(), [...this.#guardedFamilies]));
    this.#ruleCount = this.#socket.ruleCount(this.#table);
    await allowInHostFilter(this.#socket, this.#table.name, this.#bridges);
  }

  #remember(elements: readonly FirewallElement[]): void {
    for (const element of elements) this.#wanted.set(keyOf(element), element);
  }

  async #add(elements: readonly FirewallElement[]): Promise<void> {
    if (this.#rebuilding) await this.#rebuilding; // it may have been written before these were remembered
    try {
      this.#change("add", elements);
    } catch (error) {
      if (!(error instanceof SystemError && error.code === "ENOENT")) throw error;
      await this.rebuild(); // the table is gone: its script has these elements too
    }
  }

  #delete(elements: readonly FirewallElement[]): void {
    for (const element of elements) this.#wanted.delete(keyOf(element));
    try {
      this.#change("delete", elements);
    } catch (error) {
      if (!(error instanceof SystemError && error.code === "ENOENT")) throw error;
      // Table or element are not there: nothing to delete, but the table is not ours as it should be.
      this.rebuild().catch((failure: unknown) => this.#log.error("cannot restore firewall table", { error: messageOf(failure) }));
    }
  }

  #change(operation: ElementChange["operation"], elements: readonly FirewallElement[]): void {
    if (elements.length === 0) return;
    this.#socket.changeElements(
      this.#table,
      elements.map((element) => ({ operation, set: element.set, elements: element.encoded })),
    );
    const generation = this.#socket.generation();
    if (generation === this.#generation + 1) this.#generation = generation; // nobody else's change that would have to be looked at
  }

  /** From the table that an earlier daemon has left. */
  async #recallGuardedFamilies(): Promise<void> {
    const objects = this.#socket.tableExists(this.#table) ? await listRuleset("table", "inet", this.#table.name) : [];
    const names = new Set(objects.map((object) => (object["chain"] as { name?: string } | undefined)?.name));
    for (const family of [4, 6] as const) if (names.has(hostForwardingChains[family])) this.#guardedFamilies.add(family);
  }
}

const keyOf = (element: FirewallElement): string => `${element.set} ${element.text}`;
