import { isIP } from "node:net";
import { EngineError } from "#lib/errors.ts";

/** Where to listen, as in `-H`. */
export type ListenAddress =
  | { readonly type: "unix"; readonly path: string }
  /** Sockets handed over by the service manager; `descriptor` absent: all of them. */
  | { readonly type: "descriptor"; readonly descriptor?: number }
  | { readonly type: "tcp"; readonly host: string; readonly port: number };

const maximumSocketPathBytes = 107; // sun_path without its NUL, unix(7)

/**
 * Reads `unix:///path`, `fd://`, `fd://3` and `tcp://host:port`. The port is 2375, or 2376 with TLS, when absent; 0 is any free one.
 * @throws {EngineError} `invalid` with dockerd's text
 */
export function parseListenAddress(text: string, tls: boolean): ListenAddress {
  const bad = (): EngineError => new EngineError("invalid", `invalid bind address (${text})`);
  const [, scheme, rest = ""] = /^([a-z]+):\/\/(.*)$/.exec(text) ?? [];
  if (scheme === "unix") {
    if (!rest.startsWith("/") || rest.includes("\0")) throw bad();
    if (Buffer.byteLength(rest) > maximumSocketPathBytes)
      throw new EngineError("invalid", `invalid bind address (${text}): a socket's path has at most ${maximumSocketPathBytes} bytes`);
    return { type: "unix", path: rest };
  }
  if (scheme === "fd") {
    if (rest === "" || rest === "*") return { type: "descriptor" };
    if (!/^\d{1,4}$/.test(rest)) throw bad();
    return { type: "descriptor", descriptor: Number(rest) };
  }
  if (scheme !== "tcp") throw bad();
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:/[\]]*))(?::(\d{1,5}))?\/?$/.exec(rest);
  if (!match || (match[1] !== undefined && isIP(match[1]) !== 6)) throw bad();
  const port = match[3] === undefined ? (tls ? 2376 : 2375) : Number(match[3]);
  if (port > 65535) throw bad();
  return { type: "tcp", host: match[1] ?? (match[2] || "127.0.0.1"), port };
}

/** True for addresses that only this host reaches. A name other than localhost may be anything, so it is not one. */
export function isLoopback(host: string): boolean {
  return host === "localhost" || host === "::1" || (isIP(host) === 4 && host.startsWith("127."));
}
