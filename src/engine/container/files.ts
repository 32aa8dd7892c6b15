import { readFileSync } from "node:fs";
import { chown, writeFile } from "node:fs/promises";
import { mappedRoot } from "#lib/id-map.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { IdMap } from "#types/record/id-map.ts";
import type { SandboxState } from "#types/record/network.ts";
import type { ContainerDependencies } from "./dependencies.ts";
import type { LinkedHost } from "./links/linked.ts";

/** Files of the daemon in every container; each is bind-mounted over the image's. */
export interface ContainerFiles {
  readonly hosts: string;
  readonly hostname: string;
  readonly resolvConf: string;
}

export interface NameSettings {
  readonly dns: readonly string[];
  readonly dnsOptions: readonly string[];
  readonly dnsSearch: readonly string[];
  /** Address that `host-gateway` stands for. */
  readonly hostGateway: string;
  /** Containers that it has a link to. */
  readonly linked?: readonly LinkedHost[];
}

/** Texts of hosts, hostname and resolv.conf. */
export type ContainerFileTexts = Readonly<Record<keyof ContainerFiles, string>>;

export function containerFileTexts(
  record: ContainerRecord,
  sandbox: SandboxState | undefined,
  settings: NameSettings,
  embeddedResolver: boolean,
): ContainerFileTexts {
  return {
    hosts: hostsText(record, sandbox, settings.hostGateway, settings.linked),
    hostname: `${record.config.Hostname}\n`,
    resolvConf: resolvConfText(record, settings, embeddedResolver),
  };
}

/**
 * Writes hosts, hostname and resolv.conf in place, so that a running container's bind mounts see the change.
 * @param written  what is in them already
 */
export async function writeContainerFiles(files: ContainerFiles, texts: ContainerFileTexts, written?: ContainerFileTexts): Promise<void> {
  const changed = (["hosts", "hostname", "resolvConf"] as const).filter((name) => texts[name] !== written?.[name]);
  await Promise.all(changed.map((name) => writeFile(files[name], texts[name], { mode: 0o644 })));
}

/** The container's root may change its own files, whoever that is on the host. */
export async function giveContainerFiles(files: ContainerFiles, map: IdMap | undefined): Promise<void> {
  const { uid, gid } = map ? mappedRoot(map) : { uid: 0, gid: 0 };
  await Promise.all([files.hosts, files.hostname, files.resolvConf].map((file) => chown(file, uid, gid)));
}

const localEntries = `127.0.0.1\tlocalhost
::1\tlocalhost ip6-localhost ip6-loopback
fe00::\tip6-localnet
ff00::\tip6-mcastprefix
ff02::1\tip6-allnodes
ff02::2\tip6-allrouters
`;

export function hostsText(
  record: ContainerRecord,
  sandbox: SandboxState | undefined,
  hostGateway: string,
  linked: readonly LinkedHost[] = [],
): string {
  if (record.hostConfig.NetworkMode === "host" && (record.hostConfig.ExtraHosts ?? []).length === 0) return readHostFile("/etc/hosts");
  const base = record.hostConfig.NetworkMode === "host" ? readHostFile("/etc/hosts") : localEntries;
  const extra = (record.hostConfig.ExtraHosts ?? []).map((entry) => {
    const at = entry.includes("=") ? entry.indexOf("=") : entry.indexOf(":");
    const address = entry.slice(at + 1).replace(/^\[(.*)\]$/, "$1");
    return `${address === "host-gateway" ? hostGateway : address}\t${entry.slice(0, at)}\n`;
  });
  const { Hostname: hostname = "", Domainname: domain = "" } = record.config;
  const names = domain ? `${hostname}.${domain} ${hostname}` : hostname;
  const own = (sandbox?.endpoints ?? []).flatMap(({ ipv4, ipv6 }) =>
    [ipv4, ipv6].filter((address) => address !== undefined).map((address) => `${address}\t${names}\n`),
  );
  const others = linked.map(({ address, names: all }) => `${address}\t${all}\n`);
  return base + extra.join("") + others.join("") + own.join("");
}

/** With the embedded resolver the container asks it alone; else the host's servers, without those only the host can reach. */
export function resolvConfText(record: ContainerRecord, settings: NameSettings, embeddedResolver: boolean): string {
  const host = parseResolvConf(readHostFile("/etc/resolv.conf"));
  const first = (...lists: (readonly string[] | undefined | null)[]): readonly string[] =>
    lists.find((list) => list && list.length > 0) ?? [];
  const { Dns, DnsSearch, DnsOptions, NetworkMode } = record.hostConfig;
  const own = (Dns ?? []).length > 0 || settings.dns.length > 0;
  if (NetworkMode === "host" && !own && (DnsSearch ?? []).length === 0 && (DnsOptions ?? []).length === 0)
    return readHostFile("/etc/resolv.conf");
  const servers = embeddedResolver ? ["127.0.0.11"] : first(Dns, settings.dns, host.servers.filter(isReachable), defaultServers);
  const search = first(DnsSearch, settings.dnsSearch, host.search).filter((domain) => domain !== ".");
  const options = first(DnsOptions, settings.dnsOptions, host.options);
  const withDots = embeddedResolver && !options.some((option) => option.startsWith("ndots:")) ? [...options, "ndots:0"] : options;
  return [
    ...servers.map((server) => `nameserver ${server}\n`),
    search.length > 0 ? `search ${search.join(" ")}\n` : "",
    withDots.length > 0 ? `options ${withDots.join(" ")}\n` : "",
  ].join("");
}

/** User-defined networks resolve names; the default bridge passes the host's servers on. */
export function usesEmbeddedResolver(deps: Pick<ContainerDependencies, "networks">, record: ContainerRecord): boolean {
  return Object.values(record.networks).some(({ networkId }) => deps.networks.peek(networkId)?.config.nameResolution === true);
}

/** Name servers that containers' questions are passed on to. */
export function upstreamServers(record: ContainerRecord, settings: NameSettings): string[] {
  const own = record.hostConfig.Dns ?? [];
  if (own.length > 0) return [...own];
  if (settings.dns.length > 0) return [...settings.dns];
  return parseResolvConf(readHostFile("/etc/resolv.conf")).servers;
}

/** Used when the host names no server a container could reach. */
const defaultServers = ["8.8.8.8", "8.8.4.4"];

function isReachable(server: string): boolean {
  return !server.startsWith("127.") && server !== "::1";
}

function parseResolvConf(text: string): { servers: string[]; search: string[]; options: string[] } {
  const values = (keyword: string): string[][] =>
    text
      .split("\n")
      .map((line) =>
        line
          .replace(/[#;].*/, "")
          .trim()
          .split(/\s+/),
      )
      .filter(([first]) => first === keyword)
      .map(([, ...rest]) => rest);
  return {
    servers: values("nameserver").flatMap(([server]) => (server === undefined ? [] : [server])),
    search: values("search").at(-1) ?? values("domain").at(-1) ?? [],
    options: values("options").flat(),
  };
}

function readHostFile(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // a host without the file
  }
}
