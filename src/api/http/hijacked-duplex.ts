import { Duplex } from "node:stream";
import type { ByteStream } from "./hijacked-stream.ts";

/**
 * A connection that was taken over, as a stream of Node, for libraries that want one (node:http2, ws). Bytes that came with the request
 * are the first that are read: pushed back onto a socket, node:http2 would not see them.
 */
export function duplexOf(stream: ByteStream): Duplex {
  const duplex = new Duplex({
    allowHalfOpen: true,
    read(): void {
      stream.read().then(
        (chunk) => duplex.push(chunk ?? null),
        (error: Error) => duplex.destroy(error),
      );
    },
    write(chunk: Uint8Array, _encoding, done): void {
      stream.write(chunk).then(() => done(), done);
    },
    final(done): void {
      stream.end();
      done();
    },
    destroy(error, done): void {
      stream.destroy();
      done(error);
    },
  });
  duplex.on("error", () => {}); // a client that leaves is no failure; who cares listens itself
  void stream.closed.then(() => duplex.destroy());
  return duplex;
}
