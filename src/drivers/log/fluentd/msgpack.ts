/// The part of MessagePack that the Forward protocol needs. Source: msgpack, spec.md.

export function packString(text: string | Uint8Array): Buffer {
  const bytes = typeof text === "string" ? Buffer.from(text) : text;
  const { length } = bytes;
  if (length < 32) return Buffer.concat([Buffer.of(0xa0 | length), bytes]);
  if (length < 256) return Buffer.concat([Buffer.of(0xd9, length), bytes]);
  if (length < 65536) return Buffer.concat([Buffer.of(0xda, length >> 8, length & 255), bytes]);
  const head = Buffer.alloc(5);
  head[0] = 0xdb;
  head.writeUInt32BE(length, 1);
  return Buffer.concat([head, bytes]);
}

/** @param pieces  keys and values in turn, packed */
export function packMap(pieces: readonly Buffer[]): Buffer {
  const count = pieces.length / 2;
  const head = count < 16 ? Buffer.of(0x80 | count) : Buffer.of(0xde, count >> 8, count & 255);
  return Buffer.concat([head, ...pieces]);
}

/** @param pieces  at most 15 */
export function packArray(pieces: readonly Buffer[]): Buffer {
  return Buffer.concat([Buffer.of(0x90 | pieces.length), ...pieces]);
}

export function packUnsigned32(value: number): Buffer {
  const bytes = Buffer.alloc(5);
  // As long as it is one, as a signed number: what most senders write.
  bytes[0] = value < 2 ** 31 ? 0xd2 : 0xce;
  bytes.writeUInt32BE(value, 1);
  return bytes;
}

/** Seconds and nanoseconds. Source: Forward protocol v1, EventTime. */
export function packEventTime(seconds: number, nanoseconds: number): Buffer {
  const bytes = Buffer.alloc(10);
  bytes[0] = 0xd7;
  bytes.writeUInt32BE(seconds, 2);
  bytes.writeUInt32BE(nanoseconds, 6);
  return bytes;
}

/** Reads answers such as `{"ack": text}` from the beginning of `bytes`: their texts, and what is not whole yet. @throws Error on anything else */
export function unpackAcks(bytes: Buffer): { readonly acks: readonly string[]; readonly rest: Buffer } {
  const acks: string[] = [];
  let at = 0;
  while (at < bytes.length) {
    if (bytes[at] !== 0x81) throw new Error("an answer that is no acknowledgement");
    const key = readString(bytes, at + 1);
    const value = key && readString(bytes, key.end);
    if (!value) break;
    if (key.text !== "ack") throw new Error(`an answer with ${JSON.stringify(key.text)}`);
    acks.push(value.text);
    at = value.end;
  }
  return { acks, rest: Buffer.from(bytes.subarray(at)) };
}

/** Undefined when it is not there as a whole. */
function readString(bytes: Buffer, at: number): { readonly text: string; readonly end: number } | undefined {
  const type = bytes[at];
  if (type === undefined) return undefined;
  const lengthBytes = new Map([
    [0xd9, 1],
    [0xc4, 1],
    [0xda, 2],
    [0xc5, 2],
    [0xdb, 4],
    [0xc6, 4],
  ]).get(type);
  if (lengthBytes === undefined && (type & 0xe0) !== 0xa0) throw new Error("an answer that is no text");
  const start = at + 1 + (lengthBytes ?? 0);
  if (start > bytes.length) return undefined;
  const length = lengthBytes === undefined ? type & 31 : bytes.readUIntBE(at + 1, lengthBytes);
  const end = start + length;
  return end <= bytes.length ? { text: bytes.toString("utf8", start, end), end } : undefined;
}
