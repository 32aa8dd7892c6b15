import dgram from "node:dgram";
import net from "node:net";
import tls from "node:tls";
import { gunzipSync, inflateSync } from "node:zlib";

/** A server that takes connections, and can be away and come back on the same port. */
export abstract class StreamReceiver implements AsyncDisposable {
  readonly #sockets = new Set<net.Socket>();
  #server: net.Server | undefined;
  port = 0;
  /** Of a unix socket, instead of a port. */
  path: string | undefined;
  /** Serves TLS. */
  tls: tls.TlsOptions | undefined;
  /** Connections that were made so far. */
  connections = 0;

  async start(): Promise<this> {
    const take = (socket: net.Socket): void => {
      this.connections++;
      this.#sockets.add(socket);
      socket.on("close", () => this.#sockets.delete(socket));
      socket.on("error", () => undefined);
      this.accept(socket);
    };
    const server = this.tls ? tls.createServer(this.tls, take) : net.createServer(take);
    this.#server = server;
    const place = this.path === undefined ? { port: this.port, host: "127.0.0.1" } : { path: this.path };
    await new Promise<void>((resolve, reject) => server.once("error", reject).listen(place, resolve));
    const address = server.address();
    this.port = typeof address === "object" && address ? address.port : 0;
    return this;
  }

  /** Goes away: connections break, new ones are refused. */
  async stop(): Promise<void> {
    const closed = new Promise<void>((resolve) => (this.#server ? this.#server.close(() => resolve()) : resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
    this.#server = undefined;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  protected abstract accept(socket: net.Socket): void;
}

/** Takes texts that end with a byte. */
export class TextReceiver extends StreamReceiver {
  readonly texts: string[] = [];
  readonly #end: number;
  /** Never reads. */
  stuck = false;
  /** Closes a connection when it has read something. */
  closes = false;

  constructor(end: "\n" | "\0") {
    super();
    this.#end = end.charCodeAt(0);
  }

  protected accept(socket: net.Socket): void {
    if (this.stuck) return void socket.pause();
    let rest = Buffer.alloc(0);
    socket.on("data", (bytes: Buffer) => {
      rest = Buffer.concat([rest, bytes]);
      for (let end = rest.indexOf(this.#end); end >= 0; end = rest.indexOf(this.#end)) {
        this.texts.push(rest.toString("utf8", 0, end));
        rest = rest.subarray(end + 1);
      }
      if (this.closes) socket.end();
    });
  }
}

/** GELF by UDP: datagrams are put together from their chunks. Source: GELF 1.1. */
export class GelfReceiver implements AsyncDisposable {
  readonly messages: Record<string, unknown>[] = [];
  readonly compressions = new Set<string>();
  chunked = 0;
  readonly #socket = dgram.createSocket("udp4");
  readonly #chunks = new Map<string, Buffer[]>();

  async start(): Promise<this> {
    this.#socket.on("message", (bytes) => this.#receive(bytes));
    await new Promise<void>((resolve) => this.#socket.bind(0, "127.0.0.1", resolve));
    return this;
  }

  get port(): number {
    return this.#socket.address().port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#socket.close();
  }

  #receive(bytes: Buffer): void {
    if (bytes[0] !== 0x1e || bytes[1] !== 0x0f) return this.#take(bytes);
    const id = bytes.toString("hex", 2, 10);
    const chunks = this.#chunks.get(id) ?? [];
    this.#chunks.set(id, chunks);
    chunks[bytes[10] ?? 0] = bytes.subarray(12);
    if (Object.keys(chunks).length < (bytes[11] ?? 0)) return;
    this.chunked++;
    this.#take(Buffer.concat(chunks));
  }

  #take(bytes: Buffer): void {
    const compression = bytes[0] === 0x1f ? "gzip" : bytes[0] === 0x78 ? "zlib" : "none";
    this.compressions.add(compression);
    const text = compression === "gzip" ? gunzipSync(bytes) : compression === "zlib" ? inflateSync(bytes) : bytes;
    this.messages.push(JSON.parse(text.toString()) as Record<string, unknown>);
  }
}

export interface FluentdEvent {
  readonly tag: string;
  readonly seconds: number;
  readonly nanoseconds: number | undefined;
  readonly record: Readonly<Record<string, string>>;
}

/** The Forward protocol in Message Mode, as its specification has it. Acknowledges when asked to. */
export class FluentdReceiver extends StreamReceiver {
  readonly events: FluentdEvent[] = [];
  /** Answers with what is no acknowledgement. */
  garbage = false;
  /** Breaks the connection instead of acknowledging the event after so many. */
  breakAfter = Infinity;

  get logs(): string[] {
    return this.events.map(({ record }) => record["log"] ?? "");
  }

  protected accept(socket: net.Socket): void {
    let rest = Buffer.alloc(0);
    socket.on("data", (bytes: Buffer) => {
      rest = Buffer.concat([rest, bytes]);
      for (let reader = new MessagePackReader(rest), message = reader.message(); message; message = reader.message()) {
        rest = rest.subarray(reader.position);
        reader = new MessagePackReader(rest);
        if (this.events.length >= this.breakAfter) {
          this.breakAfter = Infinity;
          return void socket.destroy();
        }
        this.#take(message, socket);
      }
    });
  }

  #take(message: unknown, socket: net.Socket): void {
    const [tag, time, record, options] = message as [string, number | EventTime, Record<string, string>, { chunk?: string }];
    const at = typeof time === "number" ? { seconds: time, nanoseconds: undefined } : time;
    this.events.push({ tag, ...at, record });
    if (options.chunk === undefined) return;
    if (this.garbage) return void socket.write("HTTP/1.1 400 Bad Request\r\n\r\n");
    const ack = Buffer.from(options.chunk);
    socket.write(Buffer.concat([Buffer.of(0x81, 0xa3), Buffer.from("ack"), Buffer.of(0xd9, ack.length), ack]));
  }
}

interface EventTime {
  readonly seconds: number;
  readonly nanoseconds: number;
}

class Incomplete extends Error {}

/** The part of MessagePack that the Forward protocol uses. Source: msgpack, spec.md. */
class MessagePackReader {
  position = 0;
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  /** Undefined when it is not there as a whole. */
  message(): unknown {
    try {
      return this.#value();
    } catch (error) {
      if (error instanceof Incomplete) return undefined;
      throw error;
    }
  }

  #take(count: number): Buffer {
    const end = this.position + count;
    if (end > this.#bytes.length) throw new Incomplete();
    const taken = this.#bytes.subarray(this.position, end);
    this.position = end;
    return taken;
  }

  #number(bytes: number): number {
    return this.#take(bytes).readUIntBE(0, bytes);
  }

  #value(): unknown {
    const type = this.#number(1);
    if (type < 0x80) return type;
    if (type < 0x90) return this.#map(type & 15);
    if (type < 0xa0) return Array.from({ length: type & 15 }, () => this.#value());
    if (type < 0xc0) return this.#text(type & 31);
    switch (type) {
      case 0xc4:
      case 0xd9:
        return this.#text(this.#number(1));
      case 0xc5:
      case 0xda:
        return this.#text(this.#number(2));
      case 0xc6:
      case 0xdb:
        return this.#text(this.#number(4));
      case 0xce:
      case 0xd2:
        return this.#number(4);
      case 0xd7:
        if (this.#number(1) !== 0) throw new Error("an extension that is no time");
        return { seconds: this.#number(4), nanoseconds: this.#number(4) } satisfies EventTime;
      case 0xde:
        return this.#map(this.#number(2));
      default:
        throw new Error(`type ${type.toString(16)} has no place in the protocol`);
    }
  }

  #text(length: number): string {
    return this.#take(length).toString();
  }

  #map(count: number): Record<string, unknown> {
    const map: Record<string, unknown> = {};
    for (let index = 0; index < count; index++) map[String(this.#value())] = this.#value();
    return map;
  }
}
