import { statSync } from "node:fs";
import { EngineError } from "#lib/errors.ts";
import { parseServerAddress, type Endpoint } from "../forward/address.ts";

type Options = Readonly<Record<string, string>>;

export type SyslogFormat = "unix" | "rfc3164" | "rfc5424" | "rfc5424micro";

export interface SyslogOptions {
  /** Undefined: the host's own syslog, wherever its socket is. */
  readonly endpoint: Endpoint | undefined;
  /** 0 to 23. */
  readonly facility: number;
  readonly format: SyslogFormat;
  /** Messages are told apart by their length (RFC 5425), not by newlines. */
  readonly framed: boolean;
}

const ownOptions = ["address", "facility", "tls-ca-cert", "tls-cert", "tls-key", "tls-skip-verify", "format"].map(
  (name) => `syslog-${name}`,
);
const schemes = ["tcp", "udp", "tcp+tls", "unix", "unixgram"];
const facilities = "kern user mail daemon auth syslog lpr news uucp cron authpriv ftp".split(" ");
const firstLocalFacility = 16;
const defaultPort = "514";
const formats: Readonly<Record<string, SyslogFormat>> = {
  "": "unix",
  rfc3164: "rfc3164",
  rfc5424: "rfc5424",
  rfc5424micro: "rfc5424micro",
};

/** @throws {EngineError} `invalid` with dockerd's text. Source: moby, daemon/logger/syslog/syslog.go; compared with dockerd 28.5. */
export function checkSyslogOptions(options: Options, common: readonly string[]): void {
  for (const name of Object.keys(options)) {
    if (!common.includes(name) && !ownOptions.includes(name))
      throw new EngineError("invalid", `unknown log opt '${name}' for syslog log driver`);
  }
  parseSyslogOptions(options);
}

/** @throws {EngineError} `invalid` */
export function parseSyslogOptions(options: Options): SyslogOptions {
  const endpoint = parseAddress(options["syslog-address"] ?? "", options);
  const facility = parseFacility(options["syslog-facility"] ?? "");
  const format = formats[options["syslog-format"] ?? ""];
  if (!format) throw new EngineError("invalid", "Invalid syslog format");
  return { endpoint, facility, format, framed: endpoint?.network === "tls" && format.startsWith("rfc5424") };
}

function parseAddress(text: string, options: Options): Endpoint | undefined {
  if (text === "") return undefined;
  const { scheme, host, port, path } = parseServerAddress(text);
  if (!schemes.includes(scheme)) throw new EngineError("invalid", `unsupported scheme: '${scheme}'`);
  if (scheme === "unix" || scheme === "unixgram") {
    refuseMissing(path);
    return { network: scheme, path };
  }
  const place = { host, port: Number(port || defaultPort) };
  if (scheme === "udp" || scheme === "tcp") return { network: scheme, ...place };
  const [authority, certificate, key] = ["syslog-tls-ca-cert", "syslog-tls-cert", "syslog-tls-key"].map((name) => options[name]);
  // Docker asks only whether the option is there.
  const skipVerify = options["syslog-tls-skip-verify"] !== undefined;
  return {
    network: "tls",
    ...place,
    tls: { skipVerify, ...(authority && { authority }), ...(certificate && { certificate }), ...(key && { key }) },
  };
}

function refuseMissing(path: string): void {
  if (!statSync(path, { throwIfNoEntry: false })) throw new EngineError("invalid", `stat ${path}: no such file or directory`);
}

function parseFacility(text: string): number {
  if (text === "") return facilities.indexOf("daemon");
  const local = /^local([0-7])$/.exec(text);
  if (local) return firstLocalFacility + Number(local[1]);
  const named = facilities.indexOf(text);
  if (named >= 0) return named;
  if (/^\+?\d+$/.test(text) && Number(text) <= 23) return Number(text);
  throw new EngineError("invalid", "invalid syslog facility");
}
