import { EngineError } from "#lib/errors.ts";
import { parseServerAddress, type Endpoint } from "../forward/address.ts";

type Options = Readonly<Record<string, string>>;

export type GelfCompression = "gzip" | "zlib" | "none";

export interface GelfOptions {
  readonly endpoint: Extract<Endpoint, { readonly network: "tcp" | "udp" }>;
  readonly compression: GelfCompression;
  readonly compressionLevel: number;
  /** Undefined: as long as it takes. */
  readonly maxReconnects: number | undefined;
  readonly reconnectDelayMilliseconds: number;
}

const compressions = ["gzip", "zlib", "none"] as const;
const fastest = 1;
const defaultReconnectDelaySeconds = 1;

/** @throws {EngineError} `invalid` with dockerd's text. Source: moby, daemon/logger/gelf/gelf.go; compared with dockerd 28.5. */
export function checkGelfOptions(options: Options, common: readonly string[]): void {
  const { network } = parseAddress(options["gelf-address"] ?? "");
  for (const [name, value] of Object.entries(options)) {
    if (!common.includes(name) && name !== "gelf-address") checkOption(name, value, network);
  }
}

/** Of options that have been checked. */
export function parseGelfOptions(options: Options): GelfOptions {
  const maxReconnects = options["gelf-tcp-max-reconnect"];
  return {
    endpoint: parseAddress(options["gelf-address"] ?? ""),
    compression: compressions.find((name) => name === options["gelf-compression-type"]) ?? "gzip",
    compressionLevel: Number(options["gelf-compression-level"] ?? fastest),
    maxReconnects: maxReconnects === undefined ? undefined : Number(maxReconnects),
    reconnectDelayMilliseconds: Number(options["gelf-tcp-reconnect-delay"] ?? defaultReconnectDelaySeconds) * 1000,
  };
}

function parseAddress(text: string): GelfOptions["endpoint"] {
  if (text === "") throw new EngineError("invalid", "gelf-address is a required parameter");
  const { scheme, host, port } = parseServerAddress(text);
  if (scheme !== "tcp" && scheme !== "udp") throw new EngineError("invalid", "gelf: endpoint needs to be TCP or UDP");
  if (port === "") throw new EngineError("invalid", "gelf: please provide gelf-address as proto://host:port");
  return { network: scheme, host, port: Number(port) };
}

function checkOption(name: string, value: string, network: "tcp" | "udp"): void {
  const unknownValue = new EngineError("invalid", `unknown value ${JSON.stringify(value)} for log opt "${name}" for gelf log driver`);
  switch (name) {
    case "gelf-compression-level":
      if (network !== "udp") throw new EngineError("invalid", "compression is only supported on UDP");
      if (!/^[+-]?\d+$/.test(value) || Number(value) < -1 || Number(value) > 9) throw unknownValue;
      return;
    case "gelf-compression-type":
      if (network !== "udp") throw new EngineError("invalid", "compression is only supported on UDP");
      if (!compressions.some((known) => known === value)) throw unknownValue;
      return;
    case "gelf-tcp-max-reconnect":
    case "gelf-tcp-reconnect-delay":
      if (network !== "tcp") throw new EngineError("invalid", `"${name}" is only valid for TCP`);
      if (!/^[+-]?\d+$/.test(value) || Number(value) < 0) throw new EngineError("invalid", `"${name}" must be a positive integer`);
      return;
    default:
      throw new EngineError("invalid", `unknown log opt ${JSON.stringify(name)} for gelf log driver`);
  }
}
