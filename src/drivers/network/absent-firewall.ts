import type { BridgeFirewall } from "./bridge-firewall.ts";

/** Stands where the kernel has no nftables: there are no bridges, so nothing is to be kept and nothing to be taken away. */
export class AbsentFirewall implements BridgeFirewall {
  readonly lack: string;

  constructor(lack: string) {
    this.lack = lack;
  }

  guardHostForwarding(): boolean {
    return false;
  }
  async reset(): Promise<void> {}
  include(): void {}
  includePorts(): void {}
  async addNetwork(): Promise<void> {}
  async removeNetwork(): Promise<void> {}
  async publish(): Promise<void> {}
  unpublish(): void {}
  includeLinked(): void {}
  async admit(): Promise<void> {}
  refuse(): void {}
  async rebuild(): Promise<void> {}
  watch(): void {}
  async check(): Promise<void> {}
  async purge(): Promise<void> {}
  close(): void {}
}
