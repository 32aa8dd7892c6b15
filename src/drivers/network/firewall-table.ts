import type { Family } from "#os/netlink/ip-address.ts";
import type { FirewallElement } from "./firewall-elements.ts";

/** Sets and maps of the table, by name. `published…` lead from host port to container. */
const sets: Readonly<Record<string, { readonly kind: "set" | "map"; readonly type: string; readonly interval?: true }>> = {
  bridges: { kind: "set", type: "ifname" },
  internal: { kind: "set", type: "ifname" },
  inside: { kind: "set", type: "ifname . ifname" },
  linked: { kind: "set", type: "ipv4_addr . ipv4_addr . inet_proto . inet_service" },
  subnets4: { kind: "set", type: "ipv4_addr", interval: true },
  subnets6: { kind: "set", type: "ipv6_addr", interval: true },
  masquerade4: { kind: "set", type: "ipv4_addr", interval: true },
  masquerade6: { kind: "set", type: "ipv6_addr", interval: true },
  published4: { kind: "map", type: "inet_proto . inet_service : ipv4_addr . inet_service" },
  published6: { kind: "map", type: "inet_proto . inet_service : ipv6_addr . inet_service" },
  published_on_address4: { kind: "map", type: "ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service" },
  published_on_address6: { kind: "map", type: "ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service" },
};

/**
 * Names of the chains that keep the host from becoming a router for others. Their presence tells that forwarding of a family was off and
 * is switched on for the containers: it outlives the daemon.
 */
export const hostForwardingChains = { 4: "host_forwarding4", 6: "host_forwarding6" } as const;

/**
 * Rules that never change: what is particular to a network, a subnet or a port is an element of a set. `accept` ends this table only,
 * `drop` is final for the packet; other tables stay as they are.
 */
function chains(guarded: readonly Family[]): string {
  const guards = guarded.map((family) => `  chain ${hostForwardingChains[family]} {\n    ct status dnat accept\n    drop\n  }`);
  const jumps = guarded.map((family) => `    meta nfproto ipv${family} jump ${hostForwardingChains[family]}`);
  return `
${guards.join("\n")}
  # 127.0.0.0/8 never comes from or goes to a wire: the bridges have route_localnet, so the kernel does not look itself (CVE-2020-8558).
  chain loopback_guard {
    type filter hook prerouting priority raw; policy accept;
    iifname != "lo" ip daddr 127.0.0.0/8 drop
    iifname != "lo" ip saddr 127.0.0.0/8 drop
  }
  chain published {
    fib daddr type local dnat ip to ip daddr . meta l4proto . th dport map @published_on_address4
    fib daddr type local dnat ip6 to ip6 daddr . meta l4proto . th dport map @published_on_address6
    meta nfproto ipv4 fib daddr type local dnat ip to meta l4proto . th dport map @published4
    ip6 daddr != ::1 fib daddr type local dnat ip6 to meta l4proto . th dport map @published6
  }
  chain incoming {
    type nat hook prerouting priority dstnat; policy accept;
    jump published
  }
  chain local {
    type nat hook output priority -100; policy accept;
    jump published
  }
  # In this order: what leaves for elsewhere, what comes from the host's loopback, what a container sends to a port published by a neighbour.
  chain outgoing {
    type nat hook postrouting priority srcnat; policy accept;
    ip saddr @masquerade4 oifname != @bridges masquerade
    ip6 saddr @masquerade6 oifname != @bridges masquerade
    oifname @bridges ip saddr 127.0.0.0/8 masquerade
    oifname @bridges ip saddr @subnets4 ct status dnat masquerade
    oifname @bridges ip6 saddr @subnets6 ct status dnat masquerade
  }
  chain forward {
    type filter hook forward priority filter; policy accept;
    ct state established,related accept
    iifname . oifname @inside accept
    iifname @bridges oifname @bridges ip saddr . ip daddr . meta l4proto . th dport @linked accept
    iifname @internal drop
    oifname @internal drop
    oifname @bridges ct status dnat accept
    oifname @bridges drop
    iifname @bridges accept
${jumps.join("\n")}
  }`;
}

/** The script for nft(8) that puts the whole table in place in one transaction, whatever was there before. */
export function tableScript(table: string, elements: Iterable<FirewallElement>, guarded: readonly Family[]): string {
  const members = new Map<string, string[]>();
  for (const { set, text } of elements) members.set(set, [...(members.get(set) ?? []), text]);
  const declarations = Object.entries(sets).map(([name, { kind, type, interval }]) => {
    const list = members.get(name);
    return [
      `  ${kind} ${name} {`,
      `    type ${type}`,
      ...(interval ? ["    flags interval"] : []),
      ...(list ? [`    elements = { ${list.join(", ")} }`] : []),
      "  }",
    ].join("\n");
  });
  return `table inet ${table}\ndelete table inet ${table}\ntable inet ${table} {\n${declarations.join("\n")}\n${chains(guarded)}\n}\n`;
}
