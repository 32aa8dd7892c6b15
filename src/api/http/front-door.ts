import http, { type IncomingMessage, type ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { EngineError, messageOf } from "#lib/errors.ts";
import type { Logger } from "#lib/log.ts";
import { errorResponse } from "../status.ts";
import { UpgradeBody } from "./body.ts";
import { ByteReader } from "./byte-reader.ts";
import { ClientGone } from "./client-gone.ts";
import { Connection, type ConnectionOrigin, type ConnectionOwner } from "./connection.ts";
import { commonHeaders } from "./headers.ts";
import { HijackedStream } from "./hijacked-stream.ts";
import type { HttpSide } from "./http-side.ts";
import { apiRequest, countHeader, incomingBody, incomingHeaders, type RequestSource } from "./incoming-request.ts";
import { writeRawResponse } from "./raw-response.ts";
import { parseRequestHead, type RequestHead } from "./request-head.ts";
import type { ApiResponse } from "./response.ts";
import type { AnyRoute } from "./route.ts";
import { Router, type RouteMatch } from "./router.ts";
import { endPatiently } from "./socket.ts";
import type { WholeRequest } from "./whole-request.ts";
import { writeResponse } from "./write-response.ts";

export interface FrontDoorOptions {
  readonly routes: readonly AnyRoute[];
  /** Version of the product, for the `Server` header. */
  readonly productVersion: string;
  /** Told in a header of every answer; false when absent. */
  readonly experimental?: boolean;
  readonly log: Logger;
  /** How long a request's head may take; one minute when absent. */
  readonly headerTimeoutMilliseconds?: number;
}

/** Heads that have not arrived completely, all connections together. */
const maximumHeldHeadBytes = 32 * 1024 * 1024;

/**
 * The server side of the Engine API on connections that listeners hand in. node:http reads requests and writes answers; connections that
 * a route may hijack are read here, since node:http gives none away without an Upgrade header.
 */
export class FrontDoor {
  readonly #router: Router;
  readonly #log: Logger;
  readonly #common: Readonly<Record<string, string>>;
  readonly #http: http.Server;
  readonly #owner: ConnectionOwner;
  readonly #connections = new Set<Connection>();
  #heldHeadBytes = 0;
  #closing = false;

  constructor(options: FrontDoorOptions) {
    this.#router = new Router(options.routes);
    this.#log = options.log;
    this.#common = commonHeaders(options.productVersion, options.experimental);
    this.#http = http.createServer({ maxHeaderSize: 1024 * 1024 }, (request, response) => void this.#serve(request, response));
    // Streams, waits and uploads take as long as they take; heads have the connection's own timer.
    this.#http.timeout = this.#http.requestTimeout = this.#http.headersTimeout = this.#http.keepAliveTimeout = 0;
    this.#http.on("clientError", (_error: Error, socket: Duplex) => this.#refuse(socket, 400));
    this.#owner = {
      headerTimeoutMilliseconds: options.headerTimeoutMilliseconds ?? 60_000,
      isUpgrade: (method, target) => this.#router.isUpgrade(method, target),
      serveWhole: (connection, request, signal) => this.#serveWhole(connection, request, signal),
      serve: (side) => this.#http.emit("connection", side),
      hijack: (connection, head, rest) => this.#hijack(connection, head, rest),
      holdHeadBytes: (change) => (this.#heldHeadBytes += change) <= maximumHeldHeadBytes,
      refuse: (socket, status) => this.#refuse(socket, status),
      report: (what, error) => this.#log.error(what, { error: messageOf(error), stack: error instanceof Error ? error.stack : undefined }),
      closed: (connection) => this.#connections.delete(connection),
    };
  }

  /** Serves one connection until it ends. Never throws; the socket is owned from here on. */
  accept(socket: Duplex, origin: ConnectionOrigin): void {
    if (this.#closing) return void socket.destroy();
    this.#connections.add(new Connection(socket, origin, this.#owner));
  }

  /** Connections now open. */
  get connectionCount(): number {
    return this.#connections.size;
  }

  /** Closes idle connections at once and the others when their request is answered, or after `graceMilliseconds`. */
  async close(graceMilliseconds: number): Promise<void> {
    this.#closing = true;
    const deadline = performance.now() + graceMilliseconds;
    for (;;) {
      const overdue = performance.now() >= deadline;
      for (const connection of this.#connections) if (overdue || connection.isIdle) connection.socket.destroy();
      if (overdue || this.#connections.size === 0) break;
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    this.#http.close();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    // Every connection of this server came in by `serve` above.
    const { connection } = request.socket as unknown as HttpSide;
    const client = new AbortController();
    connection.begin(request, response, () => client.abort(new ClientGone()));
    response.on("error", () => {}); // a client that leaves in the middle of an answer; the close is what counts
    const method = request.method ?? "";
    try {
      const read = () => ({ headers: checkedHeaders(request), body: () => incomingBody(request) });
      const answer = await this.#answer({ method, url: request.url ?? "" }, read, client.signal, connection.origin);
      if (this.#closing) response.setHeader("Connection", "close");
      await writeResponse(response, answer, this.#common, method === "HEAD");
    } catch (error) {
      // The body of the answer failed: without its proper end the client knows.
      if (!client.signal.aborted) this.#log.warn("answer broken off", { method, url: request.url, error: messageOf(error) });
      connection.socket.destroy();
    }
  }

  async #serveWhole({ socket, origin }: Connection, { head, body }: WholeRequest, signal: AbortSignal): Promise<void> {
    const { method, target: url, headers } = head;
    const keepAlive = !this.#closing;
    try {
      const read = () => ({ headers, body: () => whole(body) });
      const answer = await this.#answer({ method, url }, read, signal, origin);
      await writeRawResponse(socket, answer, this.#common, { keepAlive, isHead: method === "HEAD" });
      if (!keepAlive) endPatiently(socket);
    } catch (error) {
      // The body of the answer failed: without its proper end the client knows.
      if (!signal.aborted) this.#log.warn("answer broken off", { method, url, error: messageOf(error) });
      socket.destroy();
    }
  }

  async #answer(
    { method, url }: { readonly method: string; readonly url: string },
    read: () => Pick<RequestSource, "headers" | "body">,
    signal: AbortSignal,
    origin: ConnectionOrigin,
  ): Promise<ApiResponse> {
    try {
      const { headers, body } = read();
      origin.checkHeaders?.(headers);
      const match = this.#router.resolve(method, url);
      if (isResponse(match)) return match;
      if (!("handler" in match.route)) throw new EngineError("invalid", "a request that may be hijacked must not be pipelined");
      const source = { method, headers, signal, peer: origin.peer, body };
      return await match.route.handler(apiRequest(source, match));
    } catch (error) {
      return this.#failure(error, method, url, signal);
    }
  }

  async #hijack(connection: Connection, headBytes: Uint8Array, rest: Uint8Array): Promise<void> {
    const { socket, origin } = connection;
    const client = new AbortController();
    socket.once("close", () => client.abort(new ClientGone()));
    const reader = new ByteReader(socket, rest);
    let head: RequestHead;
    try {
      head = parseRequestHead(headBytes);
    } catch (error) {
      await writeRawResponse(socket, errorResponse(error), this.#common, { keepAlive: false }).catch(() => {});
      return endPatiently(socket);
    }
    const body = new UpgradeBody(reader, head.framing);
    const stream = new HijackedStream(socket, reader, head, body);
    const answer = await this.#runUpgrade(head, origin, stream, body, client.signal);
    if (stream.accepted) return stream.finish();
    // The bytes after an answer are the next request only when the client waits for one: not after an error of a client that may
    // already be sending stdin, nor when it asked for an upgrade.
    const keepAlive = head.keepAlive && head.upgrade === undefined && answer.status < 400 && body.ended && !this.#closing;
    try {
      await writeRawResponse(socket, answer, this.#common, { keepAlive, isHead: head.method === "HEAD" });
    } catch (error) {
      if (!client.signal.aborted) this.#log.warn("answer broken off", { target: head.target, error: messageOf(error) });
      return void socket.destroy();
    }
    const unread = reader.detach();
    if (keepAlive) connection.startReading(unread);
    else endPatiently(socket);
  }

  async #runUpgrade(
    head: RequestHead,
    origin: ConnectionOrigin,
    stream: HijackedStream,
    body: UpgradeBody,
    signal: AbortSignal,
  ): Promise<ApiResponse> {
    const { method, target, headers } = head;
    try {
      origin.checkHeaders?.(headers);
      const match = this.#router.resolve(method, target);
      if (isResponse(match)) return match;
      if (!("upgrade" in match.route)) throw new EngineError("not_found", "page not found");
      const source = { method, headers, signal, peer: origin.peer, body: () => body.read() };
      const answer = await match.route.upgrade(apiRequest(source, match), stream);
      return answer ?? { status: 200, headers: {} };
    } catch (error) {
      if (stream.accepted && error instanceof ClientGone) return { status: 200, headers: {} };
      return this.#failure(error, method, target, signal);
    }
  }

  #failure(error: unknown, method: string, url: string, signal: AbortSignal): ApiResponse {
    const answer = errorResponse(error);
    if (answer.status >= 500 && !signal.aborted) {
      const stack = error instanceof EngineError || !(error instanceof Error) ? undefined : error.stack;
      this.#log.error("request failed", {
        method,
        url,
        status: answer.status,
        error: messageOf(error),
        ...(stack !== undefined && { stack }),
      });
    }
    return answer;
  }

  /** A bare answer to what is no request, then the end of the connection. */
  #refuse(socket: Duplex, status: number): void {
    if (socket.destroyed || socket.writableEnded) return;
    const reason = http.STATUS_CODES[status] ?? "";
    const body = `${JSON.stringify({ message: reason })}\n`;
    socket.end(
      `HTTP/1.1 ${status} ${reason}\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`,
    );
  }
}

function isResponse(match: RouteMatch | ApiResponse): match is ApiResponse {
  return "status" in match;
}

async function* whole(body: Uint8Array): AsyncGenerator<Uint8Array, void, void> {
  if (body.length > 0) yield body;
}

function checkedHeaders(request: IncomingMessage): ReturnType<typeof incomingHeaders> {
  checkHost(request);
  return incomingHeaders(request);
}

/** RFC 9112, 3.2: exactly one Host in HTTP/1.1. node:http keeps the first of several. */
function checkHost(request: IncomingMessage): void {
  const count = countHeader(request, "host");
  if (count === 1 || (count === 0 && request.httpVersion === "1.0")) return;
  throw new EngineError("invalid", count === 0 ? "missing required Host header" : "several Host headers");
}
