import ipaddr from "ipaddr.js";

/** Proxies as the environment names them: URLs, and a list of hosts that are reached without. */
export interface ProxySettings {
  readonly httpProxy?: string;
  readonly httpsProxy?: string;
  readonly noProxy?: string;
}

/** Those that an environment names, as Go's programs read it. */
export function environmentProxies(environment: Readonly<Record<string, string | undefined>>): ProxySettings {
  const named = (name: string): string => environment[name] ?? environment[name.toLowerCase()] ?? "";
  return { httpProxy: named("HTTP_PROXY"), httpsProxy: named("HTTPS_PROXY"), noProxy: named("NO_PROXY") };
}

/**
 * The proxy for a URL; undefined: straight there. Loopback is never asked of a proxy.
 * Source: Go, golang.org/x/net/http/httpproxy.
 */
export function proxyFor(url: URL, settings: ProxySettings | undefined): string | undefined {
  const proxy = url.protocol === "https:" ? settings?.httpsProxy : settings?.httpProxy;
  if (!proxy || isExcepted(url, settings?.noProxy ?? "")) return undefined;
  return proxy.includes("://") ? proxy : `http://${proxy}`;
}

function isExcepted(url: URL, noProxy: string): boolean {
  const host = url.hostname.replace(/^\[|\]$/g, "").toLowerCase();
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  const address = ipaddr.isValid(host) ? ipaddr.process(host) : undefined;
  if (host === "localhost" || address?.range() === "loopback") return true;
  const entries = noProxy
    .split(",")
    .map((entry) => entry.trim().toLowerCase())
    .filter(Boolean);
  return entries.some((entry) => entry === "*" || matches(entry, { host, port, address }));
}

interface Target {
  readonly host: string;
  readonly port: string;
  readonly address: ReturnType<typeof ipaddr.process> | undefined;
}

function matches(entry: string, { host, port, address }: Target): boolean {
  if (ipaddr.isValidCIDR(entry)) {
    const [network, prefix] = ipaddr.parseCIDR(entry);
    return address !== undefined && network.kind() === address.kind() && address.match(network, prefix);
  }
  const [, name = "", entryPort] = /^(\[[0-9a-f:]+\]|[^:]*|[0-9a-f:]{2,})(?::(\d+))?$/.exec(entry) ?? [];
  if (entryPort !== undefined && entryPort !== port) return false;
  const bare = name.replace(/^\[|\]$/g, "");
  if (ipaddr.isValid(bare)) return address !== undefined && ipaddr.process(bare).toString() === address.toString();
  const domain = bare.replace(/^\*/, "");
  if (domain === "") return false;
  // A leading dot takes the domain's own name out.
  return domain.startsWith(".") ? host.endsWith(domain) : host === domain || host.endsWith(`.${domain}`);
}
