import dns from "node:dns/promises";
import { readFileSync } from "node:fs";
import { isIP } from "node:net";
import { EngineError } from "#lib/errors.ts";
import { joinHostPort } from "./address.ts";

const highestPort = 65535;
/** What Go says of the errors of connect(2). */
const connectTexts: Readonly<Record<string, string>> = {
  ECONNREFUSED: "connection refused",
  ENOENT: "no such file or directory",
  EACCES: "permission denied",
  EPROTOTYPE: "protocol wrong type for socket",
  EHOSTUNREACH: "no route to host",
  ENETUNREACH: "network is unreachable",
  ETIMEDOUT: "connection timed out",
};

export interface ResolvedAddress {
  readonly address: string;
  readonly port: number;
}

/** @throws {EngineError} `unavailable` with the text of Go's dialer */
export async function resolveHost(network: "tcp" | "udp", host: string, port: number): Promise<ResolvedAddress> {
  if (port > highestPort) throw dialError(network, undefined, `address ${port}: invalid port`);
  // As in Go, no host is this host.
  if (host === "") return { address: "127.0.0.1", port };
  if (isIP(host) > 0) return { address: host, port };
  try {
    return { address: (await dns.lookup(host)).address, port };
  } catch (error) {
    throw dialError(network, undefined, `lookup ${host} on ${nameServer()}: no such host`, error);
  }
}

/** A failed connection as Go tells it. */
export function connectError(network: string, place: ResolvedAddress | string, error: unknown): EngineError {
  const code = error instanceof Error && "code" in error ? String(error.code) : "";
  const where = typeof place === "string" ? place : joinHostPort(place.address, String(place.port));
  return dialError(network, where, `connect: ${connectTexts[code] ?? code.toLowerCase()}`, error);
}

function dialError(network: string, place: string | undefined, problem: string, cause?: unknown): EngineError {
  return new EngineError("unavailable", `dial ${network}${place === undefined ? "" : ` ${place}`}: ${problem}`, { cause });
}

function nameServer(): string {
  try {
    const found = /^\s*nameserver\s+(\S+)/m.exec(readFileSync("/etc/resolv.conf", "utf8"))?.[1];
    return joinHostPort(found ?? "127.0.0.1", "53");
  } catch {
    return "127.0.0.1:53"; // no such file: what resolvers take then
  }
}
