import { EngineError } from "#lib/errors.ts";
import ipaddr from "ipaddr.js";
import type { RegistryEndpoint, RegistrySettings } from "./types.ts";

/** Docker Hub's name in references, and the host that serves it. */
const hubDomain = "docker.io";
const hubHost = "registry-1.docker.io";

/** Where to look for a repository of `domain`, in order: its mirrors, then the registry. */
export function registryEndpoints(domain: string, settings: RegistrySettings): readonly RegistryEndpoint[] {
  return [...mirrorEndpoints(domain, settings), ...originEndpoints(domain, settings)];
}

/** The registry itself: the only place for pushes, log-ins and credentials. */
export function originEndpoints(domain: string, settings: RegistrySettings): readonly RegistryEndpoint[] {
  if (domain === hubDomain) return [secure(hubHost)];
  if (!isInsecure(domain, settings.insecureRegistries ?? [])) return [secure(domain)];
  // As Docker: TLS first, without a look at the certificate, then none.
  return [
    { origin: originOf(`https://${domain}`), verifiesCertificate: false, isMirror: false },
    { origin: originOf(`http://${domain}`), verifiesCertificate: false, isMirror: false },
  ];
}

/** True for loopback and for what the settings list. @param domain `host`, `host:port` or `[v6]:port` */
export function isInsecure(domain: string, insecureRegistries: readonly string[]): boolean {
  const host = hostOf(domain);
  if (host === "localhost" || host.endsWith(".localhost")) return true;
  const address = ipaddr.isValid(host) && isFourPartOrV6(host) ? ipaddr.process(host) : undefined;
  if (address?.range() === "loopback") return true;
  return insecureRegistries.some((entry) => entry === domain || entry === host || (address !== undefined && isInNetwork(address, entry)));
}

function mirrorEndpoints(
  domain: string,
  { mirrors = [], mirrorsByRegistry = {}, insecureRegistries = [] }: RegistrySettings,
): RegistryEndpoint[] {
  const toEndpoint = (mirror: string): RegistryEndpoint => {
    const url = parseMirror(mirror);
    return { origin: url.origin, verifiesCertificate: !isInsecure(url.host, insecureRegistries), isMirror: true };
  };
  const ofHub = domain === hubDomain ? mirrors.map(toEndpoint) : [];
  const own = Object.hasOwn(mirrorsByRegistry, domain) ? mirrorsByRegistry[domain] : mirrorsByRegistry["*"];
  // One mirror may stand for many registries: as containerd does, it is told which.
  return [...ofHub, ...(own ?? []).map((mirror) => ({ ...toEndpoint(mirror), namespace: domain }))];
}

/** @throws {EngineError} `invalid`; dockerd refuses the same at start */
export function parseMirror(mirror: string): URL {
  const url = URL.canParse(mirror) ? new URL(mirror) : undefined;
  if (!url || (url.protocol !== "http:" && url.protocol !== "https:"))
    throw new EngineError("invalid", `invalid mirror: unsupported scheme in ${JSON.stringify(mirror)}`);
  if (url.username || url.password || url.search || url.hash || (url.pathname !== "/" && url.pathname !== ""))
    throw new EngineError("invalid", "invalid mirror: path, query, or fragment at end of the URI, or user name in it");
  return url;
}

function secure(domain: string): RegistryEndpoint {
  return { origin: originOf(`https://${domain}`), verifiesCertificate: true, isMirror: false };
}

function originOf(url: string): string {
  if (!URL.canParse(url)) throw new EngineError("invalid", "invalid reference format");
  return new URL(url).origin;
}

function hostOf(domain: string): string {
  if (domain.startsWith("[")) return domain.slice(1, domain.indexOf("]"));
  return domain.replace(/:[0-9]+$/, "").toLowerCase();
}

/** `127.1` and `0x7f000001` are addresses for some parsers and names for others: names here. */
function isFourPartOrV6(host: string): boolean {
  return host.includes(":") || /^\d{1,3}(\.\d{1,3}){3}$/.test(host);
}

function isInNetwork(address: ReturnType<typeof ipaddr.process>, entry: string): boolean {
  if (!ipaddr.isValidCIDR(entry)) return false;
  const [network, prefix] = ipaddr.parseCIDR(entry);
  return network.kind() === address.kind() && address.match(network, prefix);
}
