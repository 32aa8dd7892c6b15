import type { ApiVersion } from "./version.ts";

/** Who is at the other end of a connection, as far as the transport knows. */
export interface Peer {
  /** User id of the process that connected, on Unix sockets. */
  readonly uid?: number;
  /** Common name of a verified client certificate. */
  readonly subject?: string;
  /** Address and port, on TCP. */
  readonly address?: string;
}

/** Bodies in memory have this limit unless the route asks for another. */
export const defaultBodyLimitBytes = 8 * 1024 * 1024;

/** A request whose method, path and version were found good. `Name` is the union of the pattern's parameters. */
export interface ApiRequest<Name extends string = string> {
  readonly method: string;
  /** Decoded, without the version prefix. */
  readonly path: string;
  /** Parameters of the pattern, decoded. They may hold any character but NUL: whoever uses one as a name checks it. */
  readonly params: Readonly<Record<Name, string>>;
  readonly query: URLSearchParams;
  /** Names in lower case; several of one name are joined by ", ". */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly apiVersion: ApiVersion;
  readonly peer: Peer;
  /** Aborts when the client hangs up (or closes its sending side) before the answer is complete. */
  readonly signal: AbortSignal;
  /**
   * The whole body; empty when there is none. Whether its Content-Type is right is the route's business.
   * @throws {EngineError} `too_large` beyond the limit, `invalid` when it breaks off or its framing is wrong
   */
  body(limitBytes?: number): Promise<Uint8Array>;
  /** The body in pieces, read from the connection only as fast as they are taken. May be left before its end. */
  bodyStream(): AsyncIterable<Uint8Array>;
}
