import type { Logger } from "#lib/log.ts";
import { nftablesLack } from "#os/nftables/lack.ts";
import { AbsentFirewall } from "./absent-firewall.ts";
import { Firewall } from "./firewall.ts";

/** What bridges need of a firewall, or the word that there is none. */
export interface BridgeFirewall extends Omit<Pick<Firewall, keyof Firewall>, "lack"> {
  /** What the kernel lacks, and so no bridge can be made; undefined where all is there. */
  readonly lack: string | undefined;
}

/** The firewall of an instance. Where the kernel cannot have one the daemon works all the same, without bridges. */
export function openFirewall(tableName: string, log: Logger): BridgeFirewall {
  const lack = nftablesLack();
  if (lack === undefined) return new Firewall(tableName, log);
  log.warn("this host's kernel lacks nftables: networks of the driver bridge cannot be used", { reason: lack });
  return new AbsentFirewall(lack);
}
