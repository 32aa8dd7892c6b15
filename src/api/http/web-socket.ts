import type { IncomingMessage } from "node:http";
import { WebSocketServer, type WebSocket } from "ws";
import { deferred } from "#lib/async.ts";
import { EngineError } from "#lib/errors.ts";
import { ClientGone } from "./client-gone.ts";
import { duplexOf } from "./hijacked-duplex.ts";
import type { ByteStream, HijackedStream } from "./hijacked-stream.ts";
import type { ApiRequest } from "./request.ts";

const maximumMessageBytes = 1024 * 1024;
const highWaterBytes = 256 * 1024;

/**
 * Answers a websocket upgrade and gives the messages as bytes; what is written goes out as binary messages.
 * @throws {EngineError} `invalid` when the request is no websocket handshake
 * Source: RFC 6455; Engine API, operation ContainerAttachWebsocket.
 */
export async function acceptWebSocket(request: ApiRequest, stream: HijackedStream): Promise<ByteStream> {
  const { headers, method } = request;
  const key = headers["sec-websocket-key"];
  if (stream.requestedProtocol !== "websocket" || headers["sec-websocket-version"] !== "13" || !/^[+/0-9A-Za-z]{22}==$/.test(key ?? ""))
    throw new EngineError("invalid", "bad websocket handshake");
  await stream.takeOver();
  const server = new WebSocketServer({ noServer: true, clientTracking: false, maxPayload: maximumMessageBytes, perMessageDeflate: false });
  const opened = deferred<WebSocket>();
  // Of the request only method and headers are read. Compression would need memory for each client and is not offered.
  const handshake = {
    method,
    headers: { ...headers, "sec-websocket-extensions": undefined },
    httpVersion: "1.1",
  } as unknown as IncomingMessage;
  server.handleUpgrade(handshake, duplexOf(stream), Buffer.alloc(0), opened.resolve);
  return new WebSocketStream(await opened.promise);
}

class WebSocketStream implements ByteStream {
  readonly closed: Promise<void>;
  readonly #socket: WebSocket;
  readonly #queue: Uint8Array[] = [];
  #queuedBytes = 0;
  #ended = false;
  #wake: (() => void) | undefined;

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.binaryType = "nodebuffer";
    socket.on("message", (message: Buffer) => this.#push(message));
    socket.on("error", () => {}); // the close that follows tells
    this.closed = new Promise((resolve) => socket.once("close", () => resolve()));
    void this.closed.then(() => this.#end());
  }

  async read(): Promise<Uint8Array | undefined> {
    while (this.#queue.length === 0 && !this.#ended) await new Promise<void>((resolve) => (this.#wake = resolve));
    const chunk = this.#queue.shift();
    this.#queuedBytes -= chunk?.length ?? 0;
    if (this.#queuedBytes < highWaterBytes) this.#socket.resume();
    return chunk;
  }

  async write(chunk: Uint8Array | string): Promise<void> {
    if (this.#ended) throw new ClientGone();
    const sent = new Promise<void>((resolve, reject) =>
      this.#socket.send(Buffer.from(chunk), (error) => (error ? reject(new ClientGone()) : resolve())),
    );
    // The callback of a message comes when the connection has taken it; a client that leaves may leave it uncalled.
    await Promise.race([sent, this.closed]);
    if (this.#ended) throw new ClientGone();
  }

  end(): void {
    this.#socket.close(1000);
  }

  destroy(): void {
    this.#socket.terminate();
  }

  #push(chunk: Uint8Array): void {
    this.#queue.push(chunk);
    this.#queuedBytes += chunk.length;
    if (this.#queuedBytes >= highWaterBytes) this.#socket.pause();
    this.#wake?.();
  }

  #end(): void {
    this.#ended = true;
    this.#wake?.();
  }
}
