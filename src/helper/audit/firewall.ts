import { nftablesLack } from "#os/nftables/lack.ts";
import type { Finding } from "./difference.ts";
import { expectedElements, type Expected } from "./firewall-expected.ts";
import { readJson } from "./host.ts";
import type { Records } from "./records.ts";

/** Objects of `nft -j list`. Source: libnftables-json(5). */
interface Listing {
  readonly nftables?: readonly {
    readonly table?: { readonly family: string; readonly name: string };
    readonly chain?: { readonly family: string; readonly name: string };
    readonly rule?: { readonly chain: string; readonly expr?: readonly unknown[] };
    readonly set?: Members;
    readonly map?: Members;
  }[];
}
interface Members {
  readonly name: string;
  readonly elem?: readonly unknown[];
}

/** Chains without which a published port or a network does not work. */
const chains = ["loopback_guard", "published", "incoming", "local", "outgoing", "forward"];

/** The instance's nft table: every element belongs to a network or a published port of a running container, and each of these has its own. */
export async function checkFirewall(records: Records): Promise<Finding[]> {
  if (nftablesLack() !== undefined) return []; // and so no bridges: see drivers/network
  const { nftTable } = records.instance;
  const expected = expectedElements(records);
  const tables = new Set(objectsOf(await nft("list", "tables")).flatMap(({ table }) => (table ? [`${table.family} ${table.name}`] : [])));
  const findings = tables.has(`inet ${nftTable}`)
    ? checkTable(records, expected, objectsOf(await nft("list", "table", "inet", nftTable)))
    : missingTable(nftTable, expected);
  for (const family of ["ip", "ip6"])
    if (tables.has(`${family} filter`))
      findings.push(...checkHostFilter(records, family, objectsOf(await nft("list", "table", family, "filter"))));
  return findings;
}

const nft = (...args: readonly string[]): Promise<unknown> => readJson(["nft", "-j", ...args], "nftables");
const objectsOf = (listing: unknown) => (listing as Listing).nftables ?? [];

function missingTable(name: string, expected: readonly Expected[]): Finding[] {
  return expected.length === 0
    ? []
    : [{ kind: "firewall", subject: `table inet ${name}`, message: `is missing, should have ${expected.length} elements` }];
}

function checkTable(records: Records, expected: readonly Expected[], objects: ReturnType<typeof objectsOf>): Finding[] {
  const present = new Map(objects.flatMap((object) => membersOf(object.set ?? object.map)));
  const wanted = new Map(expected.map((element) => [element.key, element]));
  const isStarting = [...records.containers.values()].some(({ state }) => state.status === "starting");
  const ruled = new Set(objects.flatMap(({ rule }) => rule?.chain ?? []));
  return [
    ...chains
      .filter((chain) => !ruled.has(chain))
      .map((chain): Finding => ({
        kind: "firewall",
        subject: `chain ${chain} of ${records.instance.nftTable}`,
        message: "has no rules, should have its own",
      })),
    ...[...present].flatMap(([key, value]): Finding[] => {
      const element = wanted.get(key);
      // A port is published a moment before its container is on record as running.
      if (!element)
        return isStarting && key.startsWith("published")
          ? []
          : [{ kind: "firewall", subject: key, message: "exists, but no network or running container has it" }];
      if (element.targets.length === 0 || element.targets.includes(value)) return [];
      return [
        {
          kind: "firewall",
          subject: key,
          message: `leads to ${value}, should lead to ${element.targets.join(" or ")}`,
          owner: element.owner,
        },
      ];
    }),
    ...expected
      .filter(({ key }) => !present.has(key))
      .map(({ key, targets, owner }): Finding => ({
        kind: "firewall",
        subject: key,
        message: `is missing${targets.length > 0 ? `, should lead to ${targets.join(" or ")}` : ""}`,
        owner,
      })),
  ];
}

/** Key and target of each element, as text: `SET KEY` → target, empty for sets. */
function membersOf(members: Members | undefined): [string, string][] {
  return (members?.elem ?? []).map((element) => {
    const [key, value] = Array.isArray(element) ? (element as [unknown, unknown]) : [element, ""];
    return [`${members?.name} ${textOf(key)}`, textOf(value)];
  });
}

const protocolNames: Readonly<Record<string, string>> = { 6: "tcp", 17: "udp", 132: "sctp" };

function textOf(value: unknown): string {
  if (typeof value !== "object" || value === null) return String(value);
  const { concat, prefix, elem } = value as { concat?: unknown[]; prefix?: { addr: string; len: number }; elem?: { val: unknown } };
  if (concat)
    return concat
      .map((part, index) => (index === concat.length - 2 ? (protocolNames[textOf(part)] ?? textOf(part)) : textOf(part)))
      .join(" . ");
  if (prefix) return `${prefix.addr}/${prefix.len}`;
  return elem ? textOf(elem.val) : JSON.stringify(value);
}

/** A chain of this instance in the host's own filter may name bridges of this instance only. */
function checkHostFilter(records: Records, family: string, objects: ReturnType<typeof objectsOf>): Finding[] {
  const bridges = new Set([...records.networks.values()].map(({ config }) => config.bridge));
  return objects
    .filter(({ rule }) => rule?.chain === records.instance.nftTable)
    .flatMap(({ rule }) =>
      [...JSON.stringify(rule?.expr).matchAll(/"key":"[io]ifname"\}\},"right":"([^"]+)"/g)].map(([, name]) => name ?? ""),
    )
    .filter((name) => !bridges.has(name))
    .map((name) => ({
      kind: "firewall",
      subject: `${family} filter ${records.instance.nftTable}`,
      message: `accepts ${name}, which is no bridge of a network`,
    }));
}
