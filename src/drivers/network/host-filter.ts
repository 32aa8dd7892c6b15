import type { NftablesSocket } from "#os/nftables/nftables-socket.ts";
import { listRuleset, loadRuleset } from "#os/nftables/ruleset.ts";

/** Chain and rule objects of `nft -j list`. Source: libnftables-json(5). */
interface ChainObject {
  readonly table: string;
  readonly name: string;
  readonly policy?: string;
}
interface RuleObject {
  readonly chain: string;
  readonly handle: number;
  readonly expr?: readonly { readonly jump?: { readonly target: string } }[];
}

const families = ["ip", "ip6"] as const;

/**
 * Where the host's own filter drops what it does not know (policy drop of `FORWARD`), or has Docker's `DOCKER-USER` chain, our bridges are
 * accepted by one chain of ours in that table and one jump to it. Both carry the instance's name; nothing else of others is touched.
 */
export async function allowInHostFilter(nftables: NftablesSocket, name: string, bridges: ReadonlySet<string>): Promise<void> {
  for (const family of families) {
    const chains = await filterChains(nftables, family);
    const place = bridges.size > 0 ? placeOfJump(chains) : undefined;
    if (!place) {
      if (chains.some((chain) => chain.name === name)) await removeChain(family, name);
      continue;
    }
    const jumps = await jumpsTo(family, name);
    const accepts = [...bridges].flatMap((bridge) => [`iifname "${bridge}" accept`, `oifname "${bridge}" accept`]);
    const script = [
      `add chain ${family} filter ${name}`,
      `flush chain ${family} filter ${name}`,
      ...accepts.map((rule) => `add rule ${family} filter ${name} ${rule}`),
      ...(jumps.some((jump) => jump.chain === place) ? [] : [`insert rule ${family} filter ${place} jump ${name}`]),
    ];
    if (!(await isInPlace(family, name, accepts.length, jumps, place))) await loadRuleset(script.join("\n"));
  }
}

export async function removeFromHostFilter(nftables: NftablesSocket, name: string): Promise<void> {
  for (const family of families) {
    const chains = await filterChains(nftables, family);
    if (chains.some((chain) => chain.name === name)) await removeChain(family, name);
  }
}

async function filterChains(nftables: NftablesSocket, family: "ip" | "ip6"): Promise<ChainObject[]> {
  if (!nftables.tableExists({ family, name: "filter" })) return []; // the usual case, without a process
  const objects = await listRuleset("chains", family);
  return objects.flatMap((object) => (object["chain"] as ChainObject | undefined) ?? []).filter((chain) => chain.table === "filter");
}

function placeOfJump(chains: readonly ChainObject[]): string | undefined {
  if (chains.some((chain) => chain.name === "DOCKER-USER")) return "DOCKER-USER";
  return chains.some((chain) => chain.name === "FORWARD" && chain.policy === "drop") ? "FORWARD" : undefined;
}

async function rules(family: string): Promise<RuleObject[]> {
  const objects = await listRuleset("table", family, "filter");
  return objects.flatMap((object) => (object["rule"] as RuleObject | undefined) ?? []);
}

async function jumpsTo(family: string, name: string): Promise<RuleObject[]> {
  return (await rules(family)).filter((rule) => rule.expr?.some((expression) => expression.jump?.target === name));
}

/** True when nothing has to be written: a change of others' tables, even an empty one, would wake everyone who watches them. */
async function isInPlace(family: string, name: string, accepts: number, jumps: readonly RuleObject[], place: string): Promise<boolean> {
  const own = (await rules(family)).filter((rule) => rule.chain === name);
  return own.length === accepts && jumps.some((jump) => jump.chain === place);
}

async function removeChain(family: string, name: string): Promise<void> {
  const jumps = await jumpsTo(family, name);
  await loadRuleset(
    [
      ...jumps.map((jump) => `delete rule ${family} filter ${jump.chain} handle ${jump.handle}`),
      `flush chain ${family} filter ${name}`,
      `delete chain ${family} filter ${name}`,
    ].join("\n"),
  );
}
