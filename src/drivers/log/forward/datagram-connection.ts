import dgram from "node:dgram";
import { closeSync } from "node:fs";
import { isIPv6 } from "node:net";
import { connectUnixDatagram, sendDatagram } from "#os/unix-datagram.ts";
import { deferred, sleep } from "#lib/async.ts";
import { resolveHost } from "./dial.ts";

/** Sends datagrams; whether they arrive nobody knows. */
export interface DatagramConnection extends AsyncDisposable {
  send(bytes: Uint8Array, signal: AbortSignal): Promise<void>;
}

/** @throws {EngineError} with the text of Go's dialer */
export async function openUdp(host: string, port: number): Promise<DatagramConnection> {
  const place = await resolveHost("udp", host, port);
  const socket = dgram.createSocket(isIPv6(place.address) ? "udp6" : "udp4");
  socket.on("error", () => undefined); // as Docker, nobody hears that nobody listens
  socket.unref();
  return {
    async send(bytes) {
      const { promise, resolve } = deferred<void>();
      socket.send(bytes, place.port, place.address, () => resolve());
      await promise;
    },
    [Symbol.asyncDispose]() {
      socket.close();
      return Promise.resolve();
    },
  };
}

/** How long a receiver with a full queue is left alone. */
const fullMilliseconds = 5;

/** @throws {SystemError} such as `ENOENT`, `ECONNREFUSED` */
export function openUnixDatagram(path: string): DatagramConnection {
  const descriptor = connectUnixDatagram(path);
  return {
    async send(bytes, signal) {
      while (!sendDatagram(descriptor, bytes)) {
        await sleep(fullMilliseconds, signal);
        signal.throwIfAborted();
      }
    },
    [Symbol.asyncDispose]() {
      closeSync(descriptor);
      return Promise.resolve();
    },
  };
}
