import type { IncomingMessage, ServerResponse } from "node:http";
import type { Duplex } from "node:stream";
import { HttpSide } from "./http-side.ts";
import type { Peer } from "./request.ts";
import { endPatiently } from "./socket.ts";
import { wholeRequest, type WholeRequest } from "./whole-request.ts";
import { ClientGone } from "./client-gone.ts";

/** What a listener knows about a connection that came in by it. */
export interface ConnectionOrigin {
  readonly peer: Peer;
  /** Refuses requests that name a foreign Host or Origin. @throws {EngineError} `misdirected`, `forbidden` */
  readonly checkHeaders?: (headers: Readonly<Record<string, string | undefined>>) => void;
}

/** What a connection asks of the front door. */
export interface ConnectionOwner {
  readonly headerTimeoutMilliseconds: number;
  isUpgrade(method: string, target: string): boolean;
  /** Hands a connection's HTTP side to node:http. */
  serve(side: HttpSide): void;
  /** Answers a request that is here as a whole. Resolves when the answer is handed over; the connection may be gone then. */
  serveWhole(connection: Connection, request: WholeRequest, signal: AbortSignal): Promise<void>;
  /** Takes over a connection whose next request may be hijacked. `head` ends with the empty line, `rest` is what followed it. */
  hijack(connection: Connection, head: Uint8Array, rest: Uint8Array): Promise<void>;
  /** Changes the sum of bytes held of incomplete heads. @returns false when there are too many */
  holdHeadBytes(change: number): boolean;
  refuse(socket: Duplex, status: 400 | 408 | 431 | 503): void;
  report(what: string, error: unknown): void;
  closed(connection: Connection): void;
}

const maximumHeadBytes = 1024 * 1024;
/** An answered request may still be sending its body: so much is read away before the connection is closed. */
const maximumUnreadBodyBytes = 8 * 1024 * 1024;

/** What a client sends before it has the answer to a request that came as a whole. */
const maximumEarlyBytes = 64 * 1024;

/** Requests of one connection in hand at once; a client that sends more without reading answers has to wait. */
const maximumPipelined = 32;

/**
 * One connection: idle (the next bytes are a request's head), whole (a request that came in one piece is being answered), http (node:http
 * has a request in hand) or hijacked. Only between requests is the head looked at, so that of the others node:http alone knows where
 * bodies end.
 */
export class Connection {
  readonly socket: Duplex;
  readonly origin: ConnectionOrigin;
  readonly #owner: ConnectionOwner;
  #state: "idle" | "whole" | "http" | "hijacked" = "idle";
  #side: HttpSide | undefined;
  /** Pieces of an incomplete head. */
  #held: Uint8Array[] = [];
  #heldBytes = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #open: { readonly request: IncomingMessage; readonly response: ServerResponse; readonly abort: () => void }[] = [];
  #unreadBytes = 0;
  /** While a request that came as a whole is answered: ends its work, and what was sent too early. */
  #client: AbortController | undefined;
  #early: Uint8Array[] = [];
  #inputEnded = false;

  constructor(socket: Duplex, origin: ConnectionOrigin, owner: ConnectionOwner) {
    this.socket = socket;
    this.origin = origin;
    this.#owner = owner;
    socket.on("error", () => {}); // what matters of an error is the close that follows
    socket.on("close", () => this.#onClose());
    this.startReading();
    this.#armTimer();
  }

  get isIdle(): boolean {
    return this.#state === "idle" && this.#heldBytes === 0;
  }

  /** Waits for a request; also after a hijack route has answered as plain HTTP. */
  startReading(first?: Uint8Array): void {
    this.#state = "idle";
    this.socket.on("data", this.#onData);
    this.socket.on("end", this.#onEnd);
    if (first && first.length > 0) this.#onData(first);
    this.resumeInput();
  }

  resumeInput(): void {
    if (!this.socket.destroyed && this.#open.length < maximumPipelined) this.socket.resume();
  }

  endOutput(): void {
    if (this.#state !== "hijacked") endPatiently(this.socket);
  }

  /** node:http has read a request's head. `abort` is called when the client leaves before its answer is complete. */
  begin(request: IncomingMessage, response: ServerResponse, abort: () => void): void {
    const entry = { request, response, abort };
    this.#open.push(entry);
    if (this.#open.length >= maximumPipelined) this.socket.pause();
    response.once("close", () => {
      this.#open = this.#open.filter((other) => other !== entry);
      if (!response.writableFinished) abort();
      this.resumeInput();
      this.#settle(request);
    });
  }

  /** After an answer: idle again once the request's body has been read to its end too. */
  #settle(request: IncomingMessage): void {
    if (this.#open.length > 0 || this.#state !== "http") return;
    if (!request.complete) {
      request.once("end", () => this.#settle(request));
      request.resume();
      return;
    }
    this.#state = "idle";
    this.#unreadBytes = 0;
    if (this.#inputEnded) this.socket.destroy();
  }

  readonly #onData = (chunk: Uint8Array): void => {
    // Whatever a client sends, a throw here would be an uncaught exception of the whole daemon.
    try {
      if (this.#state === "http") this.#forward(chunk);
      else if (this.#state === "whole") this.#keepEarly(chunk);
      else this.#sniff(chunk);
    } catch (error) {
      this.#owner.report("reading a connection failed", error);
      this.socket.destroy();
    }
  };

  #forward(chunk: Uint8Array): void {
    if (this.#open.length === 0) {
      this.#unreadBytes += chunk.length;
      if (this.#unreadBytes > maximumUnreadBodyBytes) return void this.socket.destroy();
    }
    if (this.#side && !this.#side.push(chunk)) this.socket.pause();
  }

  #sniff(chunk: Uint8Array): void {
    // An empty line before a request line is read over (RFC 9112, 2.2).
    const piece = this.#heldBytes === 0 ? withoutLeadingLineEnds(chunk) : chunk;
    if (piece.length === 0) return;
    const end = this.#headEnd(piece);
    if (end < 0) return this.#hold(piece);
    const bytes = this.#heldBytes === 0 ? piece : Buffer.concat([...this.#held, piece]);
    const headBytes = this.#heldBytes + end;
    this.#dropHeld();
    if (headBytes > maximumHeadBytes) return this.#refuse(431);
    if (this.#owner.isUpgrade(...requestLine(bytes))) return this.#handOver(bytes, headBytes);
    const whole = wholeRequest(bytes, headBytes);
    if (whole) return void this.#serveWhole(whole);
    this.#state = "http";
    if (!this.#side) this.#owner.serve((this.#side = new HttpSide(this, this.socket)));
    this.#forwardHead(bytes);
  }

  async #serveWhole(request: WholeRequest): Promise<void> {
    this.#state = "whole";
    this.#client = new AbortController();
    await this.#owner.serveWhole(this, request, this.#client.signal);
    this.#client = undefined;
    if (this.#inputEnded) return void this.socket.destroy();
    if (this.socket.destroyed || this.socket.writableEnded) return;
    this.#state = "idle";
    const early = this.#early.splice(0);
    if (early.length > 0) this.#onData(Buffer.concat(early));
    this.resumeInput();
  }

  #keepEarly(chunk: Uint8Array): void {
    this.#early.push(chunk);
    if (this.#early.reduce((sum, { length }) => sum + length, 0) > maximumEarlyBytes) this.socket.pause();
  }

  #forwardHead(bytes: Uint8Array): void {
    if (this.#side && !this.#side.push(bytes)) this.socket.pause();
  }

  /** Where the head ends in `piece`, which follows what is held; -1 when it does not. */
  #headEnd(piece: Uint8Array): number {
    const tail = Buffer.concat(this.#held.slice(-3)).subarray(-3);
    const seam = tail.length === 0 ? -1 : Buffer.concat([tail, piece.subarray(0, 3)]).indexOf("\r\n\r\n");
    if (seam >= 0) return seam + 4 - tail.length;
    const found = Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).indexOf("\r\n\r\n");
    return found < 0 ? -1 : found + 4;
  }

  #hold(piece: Uint8Array): void {
    if (this.#heldBytes + piece.length > maximumHeadBytes) return this.#refuse(431);
    if (this.#heldBytes === 0 && !this.#timer) this.#armTimer();
    const last = this.#held.at(-1);
    // Single bytes are gathered, so that a slow sender costs no object for each of them.
    if (last && last.length < 1024) this.#held[this.#held.length - 1] = Buffer.concat([last, piece]);
    else this.#held.push(piece);
    this.#heldBytes += piece.length;
    if (!this.#owner.holdHeadBytes(piece.length)) this.#refuse(503);
  }

  #dropHeld(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#heldBytes === 0) return;
    this.#owner.holdHeadBytes(-this.#heldBytes);
    this.#held = [];
    this.#heldBytes = 0;
  }

  #handOver(bytes: Uint8Array, headBytes: number): void {
    this.#state = "hijacked";
    this.socket.off("data", this.#onData);
    this.socket.off("end", this.#onEnd);
    this.#owner.hijack(this, bytes.subarray(0, headBytes), bytes.subarray(headBytes)).catch((error: unknown) => {
      this.#owner.report("a hijacked connection failed", error);
      this.socket.destroy();
    });
  }

  #refuse(status: 400 | 408 | 431 | 503): void {
    this.#dropHeld();
    this.socket.off("data", this.#onData);
    this.#owner.refuse(this.socket, status);
    endPatiently(this.socket);
  }

  /** A head must arrive in time: from its first byte, and for the first request from the moment of the connection. */
  #armTimer(): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      if (this.#state === "idle") this.#refuse(408);
    }, this.#owner.headerTimeoutMilliseconds);
    this.#timer.unref();
  }

  /** As in dockerd, a client that closes its sending side is taken to have left, but an answer that comes all the same is sent. */
  readonly #onEnd = (): void => {
    this.#inputEnded = true;
    if (this.#state === "idle") return void this.socket.destroy();
    if (this.#client) return this.#client.abort(new ClientGone());
    for (const { request, abort } of this.#open) {
      if (!request.complete) this.#side?.push(null); // node:http then fails the body that is broken off
      abort();
    }
    if (this.#open.length === 0) this.socket.destroy();
  };

  #onClose(): void {
    this.#dropHeld();
    this.#client?.abort(new ClientGone());
    for (const { abort } of this.#open) abort();
    this.#side?.destroy();
    this.#owner.closed(this);
  }
}

function withoutLeadingLineEnds(chunk: Uint8Array): Uint8Array {
  let start = 0;
  while (chunk[start] === 13 || chunk[start] === 10) start++;
  return start === 0 ? chunk : chunk.subarray(start);
}

/** Method and target of a head, unchecked. */
function requestLine(bytes: Uint8Array): [method: string, target: string] {
  const first = bytes.indexOf(32);
  const second = first < 0 || first > 16 ? -1 : bytes.indexOf(32, first + 1);
  if (second < 0 || second > 8192) return ["", ""];
  const line = Buffer.from(bytes.buffer, bytes.byteOffset, second).toString("latin1");
  return [line.slice(0, first), line.slice(first + 1)];
}
