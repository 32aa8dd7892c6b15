import { EngineError } from "#lib/errors.ts";
import { openUnixDatagram } from "../forward/datagram-connection.ts";
import { datagramSender } from "../forward/senders.ts";
import type { ForwardTarget, RecordSender, RecordSource } from "../forward/types.ts";
import { journaldEncoder } from "./message.ts";

const journalSocket = "/run/systemd/journal/socket";
const retryMilliseconds = 1000;

export function journaldTarget(source: RecordSource): ForwardTarget {
  const encode = journaldEncoder(source);
  return {
    async connect(): Promise<RecordSender> {
      try {
        return datagramSender(openUnixDatagram(journalSocket), (record) => [encode(record)]);
      } catch (error) {
        throw new EngineError("unavailable", "journald is not enabled on this host", { cause: error });
      }
    },
    connectFirst: true,
    retryWaitMilliseconds: retryMilliseconds,
    retryGrowth: 1,
    maxRetries: undefined,
    reconnectMilliseconds: 0,
  };
}
