import type { Duplex } from "node:stream";
import { assert } from "#lib/errors.ts";
import { deferred } from "#lib/async.ts";
import type { UpgradeBody } from "./body.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { RequestHead } from "./request-head.ts";
import type { ResponseHeaders } from "./response.ts";
import { endPatiently, writeTo } from "./socket.ts";

/** Bytes in both directions, whatever carries them: a hijacked connection or a websocket. */
export interface ByteStream {
  /** The next bytes of the client; undefined once it has closed its side (stdin is at its end). One reader at a time. */
  read(): Promise<Uint8Array | undefined>;
  /** Resolves when there is room for more. @throws {ClientGone} */
  write(chunk: Uint8Array | string): Promise<void>;
  /** Ends our side after what was written; the client may go on sending. */
  end(): void;
  destroy(): void;
  /** Resolves when the connection is closed in both directions. Never rejects. */
  readonly closed: Promise<void>;
}

/**
 * A connection that an upgrade route may take over. Until `accept()` it still speaks HTTP, and the route's answer or error goes out as
 * any other. Source: Engine API, "Hijacking" (operation ContainerAttach).
 */
export class HijackedStream implements ByteStream {
  readonly closed: Promise<void>;
  /** The protocol the client asked for (`tcp`, `h2c`, `websocket`); undefined when it sent no Upgrade header. */
  readonly requestedProtocol: string | undefined;
  readonly #socket: Duplex;
  readonly #reader: ByteReader;
  readonly #head: RequestHead;
  readonly #body: UpgradeBody;
  #input: AsyncGenerator<Uint8Array, void, void> | undefined;
  #accepted = false;

  /** @param body what `ApiRequest.body()` reads too: what of it is left at `accept()` is not stdin */
  constructor(socket: Duplex, reader: ByteReader, head: RequestHead, body: UpgradeBody) {
    this.#socket = socket;
    this.#reader = reader;
    this.#head = head;
    this.#body = body;
    this.requestedProtocol = head.upgrade;
    const { promise, resolve } = deferred<void>();
    this.closed = promise;
    if (socket.destroyed) resolve();
    else socket.once("close", () => resolve());
  }

  get accepted(): boolean {
    return this.#accepted;
  }

  /**
   * Takes the connection over: `101 UPGRADED` when the client asked for an upgrade, else `200 OK` with a body that ends with the
   * connection. From here on the handler owns the connection.
   * @param contentType application/vnd.docker.raw-stream or …multiplexed-stream; empty for protocols that have none
   * @param protocol value of the Upgrade header
   */
  async accept(contentType: string, options: { readonly protocol?: string; readonly headers?: ResponseHeaders } = {}): Promise<void> {
    assert(!this.#accepted, "a connection is taken over once");
    await this.#startInput();
    this.#accepted = true;
    const { protocol = "tcp", headers = {} } = options;
    const own = Object.entries(headers).map(([name, value]) => `${name}: ${String(value)}\r\n`);
    const type = (contentType ? `Content-Type: ${contentType}\r\n` : "") + own.join("");
    const upgraded = this.#head.upgrade !== undefined;
    await writeTo(
      this.#socket,
      upgraded ? `HTTP/1.1 101 UPGRADED\r\n${type}Connection: Upgrade\r\nUpgrade: ${protocol}\r\n\r\n` : `HTTP/1.1 200 OK\r\n${type}\r\n`,
    );
  }

  async read(): Promise<Uint8Array | undefined> {
    assert(this.#accepted, "a connection is read after it was accepted");
    if (!this.#input) return this.#reader.read();
    const { value, done } = await this.#input.next();
    return done ? undefined : value;
  }

  async write(chunk: Uint8Array | string): Promise<void> {
    assert(this.#accepted, "a connection is written after it was accepted");
    await writeTo(this.#socket, chunk);
  }

  end(): void {
    if (!this.#socket.destroyed) this.#socket.end();
  }

  destroy(): void {
    this.#socket.destroy();
  }

  /** Ends our side and closes for good when the client has closed too, or after some seconds. */
  finish(): void {
    endPatiently(this.#socket);
  }

  /** Takes the connection over without an answer, for a library that answers the upgrade itself (websockets). */
  async takeOver(): Promise<void> {
    assert(!this.#accepted, "a connection is taken over once");
    await this.#startInput();
    this.#accepted = true;
  }

  /** Brings the reader to the first byte after the request's body. */
  async #startInput(): Promise<void> {
    if (this.#body.ended) return;
    if (this.#body.framing.type === "chunked" && !this.#body.begun) {
      if (this.#head.upgrade !== undefined) return this.#skipEmptyChunk();
      // The client sends stdin as a chunked body (docker-modem without `hijack`): what is read are the chunks' contents.
      this.#input = this.#body.read();
      return;
    }
    for await (const _ of this.#body.read()) continue;
  }

  /** docker-modem announces a chunked body with its upgrade, then sends none, or only the last, empty chunk. */
  #skipEmptyChunk(): void {
    const first = this.#reader.peek();
    if (!first || Buffer.from(first).toString("latin1", 0, 5) !== "0\r\n\r\n") return;
    this.#reader.skip(5);
  }
}
