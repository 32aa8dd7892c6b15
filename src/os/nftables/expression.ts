import { attribute, nested, uint32BigEndian, zeroTerminated } from "../netlink/message.ts";

/// Expressions of a rule, as far as rules are made without the nft program. Source: linux/netfilter/nf_tables.h.
const NFTA_LIST_ELEM = 1;
const NFTA_EXPR_NAME = 1;
const NFTA_EXPR_DATA = 2;
const NFTA_DATA_VALUE = 1;
const NFT_REG32_00 = 8;
const NFT_CMP_EQ = 0;
const NFT_META_L4PROTO = 16;
const NFT_NAT_DNAT = 1;
const NFPROTO_IPV4 = 2;

/** Where a header field lies: base 1 is the network header, 2 the transport header; bytes. */
export interface HeaderField {
  readonly base: 1 | 2;
  readonly offset: number;
  readonly length: number;
}

export const ipv4Destination: HeaderField = { base: 1, offset: 16, length: 4 };
export const destinationPort: HeaderField = { base: 2, offset: 2, length: 2 };

/** Goes on only when the header field has this value. */
export function matchField(field: HeaderField, value: Buffer): Buffer[] {
  return [
    expression("payload", number(1, NFT_REG32_00), number(2, field.base), number(3, field.offset), number(4, field.length)),
    equals(value),
  ];
}

/** Goes on only for packets of this transport protocol (IPPROTO_*). */
export function matchTransport(protocol: number): Buffer[] {
  return [expression("meta", number(1, NFT_REG32_00), number(2, NFT_META_L4PROTO)), equals(Buffer.of(protocol))];
}

/** Sends the packet to another IPv4 address and port. */
export function destinationNat(address: Buffer, port: Buffer): Buffer[] {
  const [addressRegister, portRegister] = [NFT_REG32_00, NFT_REG32_00 + 1];
  return [
    immediate(addressRegister, address),
    immediate(portRegister, port),
    expression("nat", number(1, NFT_NAT_DNAT), number(2, NFPROTO_IPV4), number(3, addressRegister), number(5, portRegister)),
  ];
}

function equals(value: Buffer): Buffer {
  return expression("cmp", number(1, NFT_REG32_00), number(2, NFT_CMP_EQ), nested(3, attribute(NFTA_DATA_VALUE, value)));
}

function immediate(register: number, value: Buffer): Buffer {
  return expression("immediate", number(1, register), nested(2, attribute(NFTA_DATA_VALUE, value)));
}

const number = (type: number, value: number): Buffer => attribute(type, uint32BigEndian(value));

function expression(name: string, ...attributes: readonly Buffer[]): Buffer {
  return nested(NFTA_LIST_ELEM, attribute(NFTA_EXPR_NAME, zeroTerminated(name)), nested(NFTA_EXPR_DATA, ...attributes));
}
