import { addressBytes, addressFamily, addressText, familyOf, type Family } from "./ip-address.ts";
import {
  attribute,
  decodeAttributes,
  NLM_F_ACK,
  NLM_F_CREATE,
  NLM_F_REPLACE,
  NLM_F_REQUEST,
  uint32,
  type NetlinkMessage,
  type NetlinkRequest,
} from "./message.ts";

/// Addresses of links. Source: rtnetlink(7), linux/if_addr.h.
const RTM_NEWADDR = 20;
const RTM_DELADDR = 21;
const RTM_GETADDR = 22;
const IFA_ADDRESS = 1;
const IFA_LOCAL = 2;
const IFA_BROADCAST = 4;
const IFA_F_NODAD = 2;

export interface LinkAddress {
  readonly index: number;
  readonly family: Family;
  readonly address: string;
  readonly prefixLength: number;
}

/** Adds an address, or finds it there. IPv6 addresses are usable at once: they come from a pool, nobody else has them. */
export function addAddress(address: Omit<LinkAddress, "family">): NetlinkRequest {
  return addressRequest(`add address ${address.address}/${address.prefixLength}`, RTM_NEWADDR, NLM_F_CREATE | NLM_F_REPLACE, address);
}

export function removeAddress(address: Omit<LinkAddress, "family">): NetlinkRequest {
  return addressRequest(`remove address ${address.address}/${address.prefixLength}`, RTM_DELADDR, 0, address);
}

export const listAddresses: NetlinkRequest = { what: "list addresses", type: RTM_GETADDR, flags: 0, parts: [Buffer.alloc(8)] };

export function parseAddress(message: NetlinkMessage): LinkAddress | undefined {
  const family = message.payload[0] === addressFamily[4] ? 4 : message.payload[0] === addressFamily[6] ? 6 : undefined;
  const attributes = decodeAttributes(message.payload.subarray(8));
  const bytes = attributes.get(IFA_LOCAL) ?? attributes.get(IFA_ADDRESS);
  if (!family || !bytes) return undefined;
  return { index: message.payload.readUInt32LE(4), family, address: addressText(bytes), prefixLength: message.payload[1] ?? 0 };
}

function addressRequest(
  what: string,
  type: number,
  flags: number,
  { index, address, prefixLength }: Omit<LinkAddress, "family">,
): NetlinkRequest {
  const bytes = addressBytes(address);
  const family = familyOf(address) === 4 ? 4 : 6;
  const header = Buffer.concat([Buffer.of(addressFamily[family], prefixLength, family === 6 ? IFA_F_NODAD : 0, 0), uint32(index)]);
  const parts = [header, attribute(IFA_LOCAL, bytes), attribute(IFA_ADDRESS, bytes)];
  if (family === 4 && prefixLength < 31) parts.push(attribute(IFA_BROADCAST, broadcastOf(bytes, prefixLength)));
  return { what, type, flags: flags | NLM_F_REQUEST | NLM_F_ACK, parts };
}

function broadcastOf(bytes: Buffer, prefixLength: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE((bytes.readUInt32BE(0) | (0xffffffff >>> prefixLength)) >>> 0);
  return buffer;
}
