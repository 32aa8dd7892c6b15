import { EngineError, messageOf } from "#lib/errors.ts";
import { joinHostPort } from "../forward/address.ts";
import { openUdp } from "../forward/datagram-connection.ts";
import { datagramSender, streamSender } from "../forward/senders.ts";
import { StreamConnection } from "../forward/stream-connection.ts";
import type { ForwardRecord, ForwardTarget, RecordSender, RecordSource } from "../forward/types.ts";
import { chunks, compress, gelfEncoder } from "./message.ts";
import { parseGelfOptions, type GelfOptions } from "./options.ts";

const messageEnd = Buffer.of(0);

export function gelfTarget(options: Readonly<Record<string, string>>, source: RecordSource): ForwardTarget {
  const own = parseGelfOptions(options);
  const encode = gelfEncoder(source);
  return {
    connect: (signal) => connect(own, encode, signal),
    connectFirst: true,
    retryWaitMilliseconds: own.reconnectDelayMilliseconds,
    retryGrowth: 1,
    maxRetries: own.maxReconnects,
    reconnectMilliseconds: 0,
  };
}

async function connect(
  { endpoint, compression, compressionLevel }: GelfOptions,
  encode: (record: ForwardRecord) => Buffer,
  signal: AbortSignal,
): Promise<RecordSender> {
  try {
    if (endpoint.network === "tcp")
      return streamSender(
        await StreamConnection.open(endpoint, signal),
        ofText((text) => [text, messageEnd]),
      );
    return datagramSender(
      await openUdp(endpoint.host, endpoint.port),
      ofText((text) => chunks(compress(text, compression, compressionLevel))),
    );
  } catch (error) {
    const place = joinHostPort(endpoint.host, String(endpoint.port));
    throw new EngineError("unavailable", `gelf: cannot connect to GELF endpoint: ${place} ${messageOf(error)}`, { cause: error });
  }

  /** As Docker: a message needs a text. */
  function ofText(pieces: (text: Buffer) => Buffer[]): (record: ForwardRecord) => Buffer[] {
    return (record) => (record.text.length === 0 ? [] : pieces(encode(record)));
  }
}
