import type { DatagramConnection } from "./datagram-connection.ts";
import type { StreamConnection } from "./stream-connection.ts";
import type { ForwardRecord, RecordSender } from "./types.ts";

/** Records as datagrams, one or more for each. */
export function datagramSender(connection: DatagramConnection, encode: (record: ForwardRecord) => readonly Uint8Array[]): RecordSender {
  return {
    async send(records, signal) {
      for (const record of records) for (const datagram of encode(record)) await connection.send(datagram, signal);
    },
    closed: undefined,
    confirms: true,
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}

/** Records one behind the other on a connection without answers. */
export function streamSender(connection: StreamConnection, encode: (record: ForwardRecord) => readonly Uint8Array[]): RecordSender {
  return {
    send: (records, signal) => connection.write(Buffer.concat(records.flatMap(encode)), signal),
    closed: connection.closed,
    confirms: false,
    [Symbol.asyncDispose]: () => connection[Symbol.asyncDispose](),
  };
}
