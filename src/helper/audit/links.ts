import { nftablesLack } from "#os/nftables/lack.ts";
import type { Finding } from "./difference.ts";
import { readJson } from "./host.ts";
import type { Records } from "./records.ts";

/** What `ip -j -d address` tells of a link. Source: ip-address(8). */
interface Link {
  readonly ifname: string;
  readonly ifalias?: string;
  readonly master?: string;
  readonly flags: readonly string[];
  readonly linkinfo?: { readonly info_kind?: string };
  readonly addr_info?: readonly { readonly local?: string; readonly prefixlen?: number }[];
}

/** Bridges of networks and host ends of endpoints: each in its place, and none of this instance beside them. */
export async function checkLinks(records: Records): Promise<Finding[]> {
  const links = new Map(((await readJson(["ip", "-j", "-d", "address", "show"], "iproute2")) as Link[]).map((link) => [link.ifname, link]));
  // Where the kernel has no firewall no bridge is made: see drivers/network.
  const bridges = nftablesLack() === undefined ? checkBridges(records, links) : [];
  return [...bridges, ...checkEndpoints(records, links), ...strayLinks(records, links)];
}

function checkBridges(records: Records, links: ReadonlyMap<string, Link>): Finding[] {
  return bridgeNetworks(records).flatMap(({ config }) => {
    const link = links.get(config.bridge);
    const finding = (message: string): Finding => ({ kind: "link", subject: config.bridge, message, owner: config.id });
    const of = `network ${config.name}`;
    if (!link) return [finding(`is missing, should be the bridge of ${of}`)];
    if (link.linkinfo?.info_kind !== "bridge") return [finding(`is no bridge, should be that of ${of}`)];
    const findings = link.flags.includes("UP") ? [] : [finding(`is down, should be up as the bridge of ${of}`)];
    for (const { gateway, subnet } of config.subnets) {
      const prefixLength = Number(subnet.split("/")[1]);
      const has = link.addr_info?.some(({ local, prefixlen }) => sameAddress(local, gateway) && prefixlen === prefixLength);
      if (gateway !== "" && !has) findings.push(finding(`lacks address ${gateway}/${prefixLength} of ${of}`));
    }
    return findings;
  });
}

function checkEndpoints(records: Records, links: ReadonlyMap<string, Link>): Finding[] {
  return records.live.flatMap(({ id, sandbox }) =>
    (sandbox?.endpoints ?? []).flatMap(({ hostLink, networkId }) => {
      if (hostLink === "") return [];
      const link = links.get(hostLink);
      const finding = (message: string): Finding[] => [{ kind: "link", subject: hostLink, message, owner: id }];
      if (!link) return finding(`is missing, should be an endpoint of container ${id}`);
      const bridge = records.networks.get(networkId)?.config.bridge;
      if (link.master !== bridge)
        return finding(`belongs to ${link.master ?? "no bridge"}, should belong to ${bridge ?? "a network that has no record"}`);
      return link.flags.includes("UP") ? [] : finding("is down, should be up");
    }),
  );
}

/** Links that carry this instance's names and belong to nobody. Names derive from the prefix and 15 characters in all (lib/instance.ts). */
function strayLinks(records: Records, links: ReadonlyMap<string, Link>): Finding[] {
  const { instance } = records;
  const bridges = new Set(bridgeNetworks(records).map(({ config }) => config.bridge));
  const endpoints = new Set(records.live.flatMap(({ sandbox }) => sandbox?.endpoints.map(({ hostLink }) => hostLink) ?? []));
  // Links of a container that is being started are not on record yet.
  const isStarting = [...records.containers.values()].some(({ state }) => state.status === "starting");
  const derived = new RegExp(`^${instance.linkPrefix}([bv])[0-9a-f]+$`);
  return [...links.values()].flatMap(({ ifname, ifalias }) => {
    const kind = ifname.length === 15 ? derived.exec(ifname)?.[1] : undefined;
    const isOurBridge = kind === "b" || ifname === instance.defaultBridge || ifalias === `${instance.name} ${instance.id}`;
    const stray = (message: string): Finding[] => [{ kind: "link", subject: ifname, message }];
    if (isOurBridge && !bridges.has(ifname)) return stray("exists, but no network has it as its bridge");
    if (kind === "v" && !endpoints.has(ifname) && !isStarting) return stray("exists, but no running container has it as endpoint");
    return [];
  });
}

function bridgeNetworks({ networks }: Records) {
  return [...networks.values()].filter(({ config }) => config.driver === "bridge" && config.bridge !== "");
}

/** IPv6 addresses have several spellings. */
function sameAddress(left: string | undefined, right: string): boolean {
  return left === right || (left !== undefined && left.includes(":") && right.includes(":") && canonical(left) === canonical(right));
}

const canonical = (address: string): string => new URL(`http://[${address}]/`).hostname;
