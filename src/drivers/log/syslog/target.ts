import { EngineError } from "#lib/errors.ts";
import type { Endpoint } from "../forward/address.ts";
import { openUdp, openUnixDatagram, type DatagramConnection } from "../forward/datagram-connection.ts";
import { connectError } from "../forward/dial.ts";
import { datagramSender, streamSender } from "../forward/senders.ts";
import { StreamConnection } from "../forward/stream-connection.ts";
import type { ForwardRecord, ForwardTarget, RecordSender, RecordSource } from "../forward/types.ts";
import { syslogEncoder } from "./message.ts";
import { parseSyslogOptions } from "./options.ts";

/** Where a host's own syslog listens. */
const localPaths = ["/dev/log", "/var/run/syslog", "/var/run/log"];
const retryMilliseconds = 1000;

export function syslogTarget(options: Readonly<Record<string, string>>, source: RecordSource): ForwardTarget {
  const { endpoint, ...header } = parseSyslogOptions(options);
  // As Docker: a message needs a text.
  const message = syslogEncoder({ ...header, tag: source.tag });
  const encode = (record: ForwardRecord): Buffer[] => (record.text.length === 0 ? [] : [message(record)]);
  return {
    connect: (signal) => (endpoint ? connect(endpoint, encode, signal) : connectLocal(encode, signal)),
    connectFirst: true,
    retryWaitMilliseconds: retryMilliseconds,
    retryGrowth: 1,
    maxRetries: undefined,
    reconnectMilliseconds: 0,
  };
}

type Encode = (record: ForwardRecord) => Buffer[];

async function connect(endpoint: Endpoint, encode: Encode, signal: AbortSignal): Promise<RecordSender> {
  if (endpoint.network === "udp") return datagramSender(await openUdp(endpoint.host, endpoint.port), encode);
  if (endpoint.network === "unixgram") return datagramSender(openGram(endpoint.path), encode);
  return streamSender(await StreamConnection.open(endpoint, signal), encode);
}

function openGram(path: string): DatagramConnection {
  try {
    return openUnixDatagram(path);
  } catch (error) {
    throw connectError("unixgram", path, error);
  }
}

async function connectLocal(encode: Encode, signal: AbortSignal): Promise<RecordSender> {
  for (const path of localPaths) {
    for (const network of ["unixgram", "unix"] as const) {
      const sender = await connect({ network, path }, encode, signal).catch(() => undefined); // not there: the next one
      if (sender) return sender;
    }
  }
  throw new EngineError("unavailable", "Unix syslog delivery error");
}
