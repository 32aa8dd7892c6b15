import { Duplex } from "node:stream";
import type { Connection } from "./connection.ts";

/**
 * The end of a connection that node:http sees: requests are pushed in, answers go on to the real socket with its back-pressure. It
 * stands between because node:http keeps a socket for good, and a later request on the same connection may want to be hijacked.
 */
export class HttpSide extends Duplex {
  readonly connection: Connection;
  readonly #socket: Duplex;

  constructor(connection: Connection, socket: Duplex) {
    super({ allowHalfOpen: true, decodeStrings: true });
    this.connection = connection;
    this.#socket = socket;
    this.on("error", () => {}); // node:http reports what it cares about; the connection sees the socket's own errors
  }

  // node:http treats what it is given as a net.Socket; ours has its own timers.
  setTimeout(): this {
    return this;
  }
  setKeepAlive(): this {
    return this;
  }
  setNoDelay(): this {
    return this;
  }

  override _read(): void {
    this.connection.resumeInput();
  }

  override _write(chunk: Uint8Array, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#socket.destroyed) return done();
    if (this.#socket.write(chunk)) return done();
    const settle = (): void => {
      this.#socket.off("drain", settle);
      this.#socket.off("close", settle);
      done();
    };
    this.#socket.on("drain", settle);
    this.#socket.on("close", settle);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.connection.endOutput();
    done();
  }

  override _destroy(_error: Error | null, done: (error?: Error | null) => void): void {
    this.connection.endOutput();
    done();
  }
}
