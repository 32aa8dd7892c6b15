import { EngineError } from "#lib/errors.ts";

/** An address as Go's url.Parse reads it. */
export interface ServerAddress {
  readonly scheme: string;
  readonly host: string;
  readonly port: string;
  /** Of unix sockets. */
  readonly path: string;
}

/** @throws {EngineError} `invalid` with Go's text */
export function parseServerAddress(text: string): ServerAddress {
  const wrong = (problem: string): EngineError => new EngineError("invalid", `parse ${JSON.stringify(text)}: ${problem}`);
  const [, scheme = "", authority = "", path = ""] = /^(?:([A-Za-z][A-Za-z0-9+.-]*):\/\/)?([^/]*)(.*)$/s.exec(text) ?? [];
  if (scheme === "") return parseBareAddress(text, wrong);
  const bracketed = /^\[([^\]]*)\](.*)$/.exec(authority);
  if (authority.startsWith("[") && !bracketed) throw wrong("missing ']' in host");
  const [host, rest] = bracketed ? [bracketed[1] ?? "", bracketed[2] ?? ""] : splitAtLastColon(authority);
  if (rest !== "" && !/^:\d*$/.test(rest)) throw wrong(`invalid port ${JSON.stringify(rest)} after host`);
  return { scheme, host, port: rest.slice(1), path };
}

/** Without two slashes all is a path, or what stands before a colon a scheme. */
function parseBareAddress(text: string, wrong: (problem: string) => EngineError): ServerAddress {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):/.exec(text)?.[1];
  if (scheme !== undefined) return { scheme, host: "", port: "", path: text.slice(scheme.length + 1) };
  if (text.split("/")[0]?.includes(":")) throw wrong("first path segment in URL cannot contain colon");
  return { scheme: "", host: "", port: "", path: text };
}

function splitAtLastColon(authority: string): readonly [host: string, rest: string] {
  const at = authority.lastIndexOf(":");
  return at < 0 ? [authority, ""] : [authority.slice(0, at), authority.slice(at)];
}

/** Host and port as Go writes them. */
export function joinHostPort(host: string, port: string): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Where records are sent. */
export type Endpoint = StreamEndpoint | DatagramEndpoint;

export type StreamEndpoint =
  | { readonly network: "tcp"; readonly host: string; readonly port: number }
  | { readonly network: "tls"; readonly host: string; readonly port: number; readonly tls: TlsOptions }
  | { readonly network: "unix"; readonly path: string };

export type DatagramEndpoint =
  { readonly network: "udp"; readonly host: string; readonly port: number } | { readonly network: "unixgram"; readonly path: string };

export interface TlsOptions {
  readonly skipVerify: boolean;
  /** Paths, read at each connection. */
  readonly authority?: string;
  readonly certificate?: string;
  readonly key?: string;
}
