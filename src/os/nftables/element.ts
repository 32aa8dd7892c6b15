import { attribute, nested, uint32BigEndian, zeroTerminated } from "../netlink/message.ts";

/// Elements of sets and maps. Source: linux/netfilter/nf_tables.h.
const NFTA_SET_ELEM_LIST_TABLE = 1;
const NFTA_SET_ELEM_LIST_SET = 2;
const NFTA_SET_ELEM_LIST_ELEMENTS = 3;
const NFTA_LIST_ELEM = 1;
const NFTA_SET_ELEM_KEY = 1;
const NFTA_SET_ELEM_DATA = 2;
const NFTA_SET_ELEM_FLAGS = 3;
const NFTA_DATA_VALUE = 1;
const NFT_SET_ELEM_INTERVAL_END = 1;
const linkNameLength = 16;

export interface SetElement {
  /** Concatenated key fields, each padded to four bytes. */
  readonly key: Buffer;
  /** What a map gives for the key. */
  readonly value?: Buffer;
  /** In a set of intervals: the first key behind an interval. */
  readonly intervalEnd?: true;
}

/** Fields one behind the other, each padded with zeros to a multiple of four bytes, as the kernel's registers hold them. */
export function concatenation(...fields: readonly Buffer[]): Buffer {
  return Buffer.concat(fields.map((field) => Buffer.concat([field, Buffer.alloc(-field.length & 3)])));
}

/** A link's name as a key of type `ifname`: 16 bytes. */
export function linkNameKey(name: string): Buffer {
  const buffer = Buffer.alloc(linkNameLength);
  buffer.write(name, 0, linkNameLength - 1);
  return buffer;
}

/** The body of NFT_MSG_NEWSETELEM and NFT_MSG_DELSETELEM. */
export function encodeElements(table: string, set: string, elements: readonly SetElement[]): Buffer {
  return Buffer.concat([
    attribute(NFTA_SET_ELEM_LIST_TABLE, zeroTerminated(table)),
    attribute(NFTA_SET_ELEM_LIST_SET, zeroTerminated(set)),
    nested(NFTA_SET_ELEM_LIST_ELEMENTS, ...elements.map(encodeElement)),
  ]);
}

function encodeElement(element: SetElement): Buffer {
  const parts = [nested(NFTA_SET_ELEM_KEY, attribute(NFTA_DATA_VALUE, element.key))];
  if (element.value) parts.push(nested(NFTA_SET_ELEM_DATA, attribute(NFTA_DATA_VALUE, element.value)));
  if (element.intervalEnd) parts.push(attribute(NFTA_SET_ELEM_FLAGS, uint32BigEndian(NFT_SET_ELEM_INTERVAL_END)));
  return nested(NFTA_LIST_ELEM, ...parts);
}
