import { EngineError, messageOf } from "#lib/errors.ts";
import type { ConfigFile } from "./config-file.ts";

export interface TlsFiles {
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: string;
  readonly rejectUnauthorized: boolean;
  readonly serverName?: string;
}

/** Where a daemon listens. */
export type Address =
  | { readonly kind: "unix"; readonly path: string; readonly url: string }
  | { readonly kind: "tcp"; readonly host: string; readonly port: number; readonly url: string; readonly tls?: TlsFiles };

export interface Endpoint {
  readonly contextName: string;
  /** Tried in this order; the next one only when nobody listens at the one before. Never empty. */
  readonly addresses: readonly [Address, ...Address[]];
}

export interface EndpointOptions {
  readonly hosts: readonly string[];
  readonly context?: string | undefined;
  readonly tls: boolean;
  readonly tlsVerify: boolean;
  readonly tlsCaCert?: string | undefined;
  readonly tlsCert?: string | undefined;
  readonly tlsKey?: string | undefined;
  readonly environment: Readonly<Record<string, string | undefined>>;
  /** Called as `docker`, Docker's own socket is looked at first. */
  readonly program: "gantry" | "docker";
}

/** Two ways of saying where the daemon is, of which only one can be meant. */
export class ConflictingOptions extends Error {}

/** A file that should hold the certificate of an authority, and does not. */
export class BadCertificate extends Error {}

const gantrySocket: Address = { kind: "unix", path: "/run/gantry/gantry.sock", url: "unix:///run/gantry/gantry.sock" };
const dockerSocket: Address = { kind: "unix", path: "/var/run/docker.sock", url: "unix:///var/run/docker.sock" };

/**
 * Finds the daemon: `--host`, DOCKER_HOST, `--context`, DOCKER_CONTEXT, the current context of config.json, then the local sockets.
 * @throws {EngineError} `invalid` for conflicting options and addresses nobody can connect to, `not_found` for an unknown context
 * Source: the Docker CLI's reference, "Option types" and "Contexts".
 */
export async function resolveEndpoint(options: EndpointOptions, config: () => Promise<ConfigFile>): Promise<Endpoint> {
  const { hosts, environment } = options;
  if (hosts.length > 1) throw new EngineError("invalid", "Specify only one -H");
  if (hosts.length > 0 && options.context) throw new ConflictingOptions("conflicting options: cannot specify both --host and --context");
  if (options.context && options.context !== "default") return contextEndpoint(options.context, await config());
  const host = hosts[0] ?? (options.context ? undefined : environment["DOCKER_HOST"]);
  if (host) return { contextName: "default", addresses: [parseHost(host, await tlsFiles(options, config))] };
  const named = options.context ?? (environment["DOCKER_CONTEXT"] || (await config()).currentContext);
  if (named && named !== "default") return contextEndpoint(named, await config());
  return {
    contextName: "default",
    addresses: options.program === "docker" ? [dockerSocket, gantrySocket] : [gantrySocket, dockerSocket],
  };
}

/**
 * `unix://PATH`, `tcp://HOST[:PORT]`, `HOST:PORT`.
 * @throws {EngineError} `invalid`
 */
export function parseHost(text: string, tls?: TlsFiles): Address {
  const [, scheme = "tcp", rest = ""] = /^(?:([a-z][a-z0-9+.-]*):\/\/)?(.*)$/is.exec(text.trim()) ?? [];
  switch (scheme.toLowerCase()) {
    case "unix":
      return { kind: "unix", path: rest || "/var/run/docker.sock", url: `unix://${rest || "/var/run/docker.sock"}` };
    case "tcp":
      return parseTcp(rest, text, tls);
    case "ssh":
      throw new EngineError(
        "invalid",
        `${text}: ssh:// addresses are not supported by this client. Forward the socket with "ssh -L /tmp/daemon.sock:/var/run/docker.sock HOST" and use unix:///tmp/daemon.sock`,
      );
    default:
      throw new EngineError("invalid", `invalid bind address format: ${text}`);
  }
}

function parseTcp(rest: string, text: string, tls: TlsFiles | undefined): Address {
  const match = /^(\[[0-9a-fA-F:.%]+\]|[^:/[\]]*)(?::(\d{1,5}))?\/?$/.exec(rest);
  const port = Number(match?.[2] ?? (tls ? 2376 : 2375));
  if (!match || port < 1 || port > 65535) throw new EngineError("invalid", `invalid bind address format: ${text}`);
  const host = (match[1] || "localhost").replace(/^\[|\]$/g, "");
  return { kind: "tcp", host, port, url: `tcp://${match[1] || "localhost"}:${port}`, ...(tls ? { tls } : {}) };
}

async function tlsFiles(options: EndpointOptions, config: () => Promise<ConfigFile>): Promise<TlsFiles | undefined> {
  const { environment } = options;
  const verify = options.tlsVerify || Boolean(environment["DOCKER_TLS_VERIFY"]);
  const asks = options.tls || Boolean(environment["DOCKER_TLS"]);
  if (!verify && !asks && !options.tlsCaCert && !options.tlsCert && !options.tlsKey) return undefined;
  const folder = environment["DOCKER_CERT_PATH"] || (await config()).folder;
  // One after the other: the first that is missing is the one to tell.
  const ca = await readPem(options.tlsCaCert ?? `${folder}/ca.pem`, true);
  const cert = await readPem(options.tlsCert ?? `${folder}/cert.pem`, options.tlsCert !== undefined);
  const key = await readPem(options.tlsKey ?? `${folder}/key.pem`, options.tlsKey !== undefined);
  if (!ca?.includes("-----BEGIN CERTIFICATE-----")) throw new BadCertificate("failed to retrieve context tls info: ca.pem seems invalid");
  return { ca, ...(cert ? { cert } : {}), ...(key ? { key } : {}), rejectUnauthorized: verify };
}

async function readPem(path: string, required: boolean): Promise<string | undefined> {
  try {
    return await Bun.file(path).text();
  } catch (error) {
    if (required) throw new EngineError("invalid", `open ${path}: no such file or directory`, { cause: error });
    return undefined;
  }
}

/** A named context: `contexts/meta/SHA256(name)/meta.json`, its certificates in `contexts/tls/SHA256(name)/docker/`. */
async function contextEndpoint(name: string, config: ConfigFile): Promise<Endpoint> {
  const hash = new Bun.CryptoHasher("sha256").update(name).digest("hex");
  const path = `${config.folder}/contexts/meta/${hash}/meta.json`;
  let text: string;
  try {
    text = await Bun.file(path).text();
  } catch {
    throw new EngineError("not_found", `context ${JSON.stringify(name)}: context not found: open ${path}: no such file or directory`);
  }
  const docker = dockerEndpointOf(text, { name, path });
  const folder = `${config.folder}/contexts/tls/${hash}/docker`;
  const [ca, cert, key] = await Promise.all(["ca", "cert", "key"].map((file) => readPem(`${folder}/${file}.pem`, false)));
  const hasTls = Boolean(ca ?? cert ?? key) || docker.skipTlsVerify;
  const tls: TlsFiles | undefined = hasTls
    ? { ...(ca ? { ca } : {}), ...(cert ? { cert } : {}), ...(key ? { key } : {}), rejectUnauthorized: !docker.skipTlsVerify }
    : undefined;
  return { contextName: name, addresses: [parseHost(docker.host, tls)] };
}

function dockerEndpointOf(text: string, { name, path }: { name: string; path: string }): { host: string; skipTlsVerify: boolean } {
  let meta: { Endpoints?: { docker?: { Host?: unknown; SkipTLSVerify?: unknown } } } | null;
  try {
    meta = JSON.parse(text) as typeof meta; // what it holds is looked at below
  } catch (error) {
    throw new EngineError("invalid", `context ${JSON.stringify(name)}: parsing ${path}: ${messageOf(error)}`, { cause: error });
  }
  const endpoint = meta?.Endpoints?.docker;
  if (typeof endpoint?.Host !== "string") throw new EngineError("invalid", "cannot find docker endpoint in context");
  return { host: endpoint.Host, skipTlsVerify: endpoint.SkipTLSVerify === true };
}
