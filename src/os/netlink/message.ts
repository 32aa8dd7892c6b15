/**
 * The wire format shared by rtnetlink and nfnetlink: messages of aligned, typed attributes in the host's byte order (little-endian on
 * every architecture this program is built for). Source: netlink(7), linux/netlink.h.
 */
export interface NetlinkMessage {
  readonly type: number;
  readonly flags: number;
  readonly sequence: number;
  readonly payload: Buffer;
}

/** A message before it has its sequence number. `what` names the step in an error. */
export interface NetlinkRequest {
  readonly what: string;
  readonly type: number;
  readonly flags: number;
  readonly parts: readonly Buffer[];
}

export const NLM_F_REQUEST = 0x001;
export const NLM_F_ACK = 0x004;
export const NLM_F_REPLACE = 0x100;
export const NLM_F_DUMP = 0x300;
export const NLM_F_EXCL = 0x200;
export const NLM_F_CREATE = 0x400;
const NLA_F_NESTED = 0x8000;
const NLA_TYPE_MASK = 0x3fff;
const messageHeader = 16;
const attributeHeader = 4;

const aligned = (length: number): number => (length + 3) & ~3;

/** One attribute: length, type, payload, padding to four bytes. */
export function attribute(type: number, payload: Buffer): Buffer {
  const length = attributeHeader + payload.length;
  const buffer = Buffer.alloc(aligned(length));
  buffer.writeUInt16LE(length, 0);
  buffer.writeUInt16LE(type, 2);
  payload.copy(buffer, attributeHeader);
  return buffer;
}

/** An attribute made of attributes. */
export function nested(type: number, ...attributes: readonly Buffer[]): Buffer {
  return attribute(type | NLA_F_NESTED, Buffer.concat(attributes));
}

export const uint8 = (value: number): Buffer => Buffer.of(value);

export function uint16BigEndian(value: number): Buffer {
  const buffer = Buffer.alloc(2);
  buffer.writeUInt16BE(value);
  return buffer;
}

export function uint32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32LE(value >>> 0);
  return buffer;
}

export function uint32BigEndian(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value >>> 0);
  return buffer;
}

export const zeroTerminated = (text: string): Buffer => Buffer.from(`${text}\0`);

export function encodeMessage(request: NetlinkRequest, sequence: number): Buffer {
  const length = messageHeader + request.parts.reduce((sum, part) => sum + part.length, 0);
  const buffer = Buffer.alloc(aligned(length));
  buffer.writeUInt32LE(length, 0);
  buffer.writeUInt16LE(request.type, 4);
  buffer.writeUInt16LE(request.flags, 6);
  buffer.writeUInt32LE(sequence, 8);
  let offset = messageHeader;
  for (const part of request.parts) offset += part.copy(buffer, offset);
  return buffer;
}

/** The messages of one datagram; a torn last one is left out. Payloads are copies, so the receive buffer can be used again. */
export function decodeMessages(datagram: Buffer): NetlinkMessage[] {
  const messages: NetlinkMessage[] = [];
  for (let offset = 0; offset + messageHeader <= datagram.length;) {
    const length = datagram.readUInt32LE(offset);
    if (length < messageHeader || offset + length > datagram.length) break;
    messages.push({
      type: datagram.readUInt16LE(offset + 4),
      flags: datagram.readUInt16LE(offset + 6),
      sequence: datagram.readUInt32LE(offset + 8),
      payload: Buffer.from(datagram.subarray(offset + messageHeader, offset + length)),
    });
    offset += aligned(length);
  }
  return messages;
}

/** Attributes by type; of a repeated type the last counts. */
export function decodeAttributes(buffer: Buffer): Map<number, Buffer> {
  const attributes = new Map<number, Buffer>();
  for (let offset = 0; offset + attributeHeader <= buffer.length;) {
    const length = buffer.readUInt16LE(offset);
    if (length < attributeHeader || offset + length > buffer.length) break;
    attributes.set(buffer.readUInt16LE(offset + 2) & NLA_TYPE_MASK, buffer.subarray(offset + attributeHeader, offset + length));
    offset += aligned(length);
  }
  return attributes;
}

/** Text of an attribute without its terminating zero. */
export function textOf(value: Buffer | undefined): string | undefined {
  if (!value) return undefined;
  const end = value.indexOf(0);
  return value.toString("utf8", 0, end < 0 ? value.length : end);
}
