import type { ForwardRecord, RecordSource } from "../forward/types.ts";
import { packArray, packEventTime, packMap, packString, packUnsigned32 } from "./msgpack.ts";

/** Makes messages of one container: tag, time, record, options. Source: Forward protocol v1, Message Mode; compared with dockerd 28.5. */
export function fluentdEncoder(source: RecordSource, subSecondPrecision: boolean): (record: ForwardRecord, chunk?: string) => Buffer {
  const tag = packString(source.tag);
  const own: Record<string, string> = {
    ...source.attributes,
    container_id: source.containerId,
    container_name: `/${source.containerName}`,
  };
  const common = pairs(own);
  return ({ stream, timeNano, text, part }, chunk) => {
    const seconds = Number(timeNano / 1_000_000_000n);
    const time = subSecondPrecision ? packEventTime(seconds, Number(timeNano % 1_000_000_000n)) : packUnsigned32(seconds);
    const partial = part && {
      partial_message: "true",
      partial_id: part.id,
      partial_ordinal: String(part.ordinal),
      partial_last: String(part.last),
    };
    const record = packMap([...common, ...pairs({ source: stream, ...partial }), packString("log"), packString(text)]);
    return packArray([tag, time, record, packMap(chunk === undefined ? [] : pairs({ chunk }))]);
  };
}

function pairs(values: Readonly<Record<string, string>>): Buffer[] {
  return Object.entries(values).flatMap(([name, value]) => [packString(name), packString(value)]);
}
