import { addressBytes, addressText, familyOf, type Family } from "#os/netlink/ip-address.ts";

/** A block of addresses. `base` is its first address as a number. */
export interface Cidr {
  readonly family: Family;
  readonly base: bigint;
  readonly prefixLength: number;
}

export const addressBits = { 4: 32, 6: 128 } as const;

/** Reads `10.1.0.0/16`; bits behind the prefix are cut off. Undefined when the text is no block of addresses. */
export function parseCidr(text: string): Cidr | undefined {
  const match = /^([^/]+)\/(\d{1,3})$/.exec(text);
  const family = familyOf(match?.[1] ?? "");
  const prefixLength = Number(match?.[2]);
  if (!match || !family || prefixLength > addressBits[family]) return undefined;
  const size = blockSize({ family, prefixLength });
  const address = addressNumber(match[1] ?? "");
  return { family, base: address - (address % size), prefixLength };
}

export function formatCidr(cidr: Cidr): string {
  return `${numberAddress(cidr.family, cidr.base)}/${cidr.prefixLength}`;
}

/** Number of addresses in a block. */
export function blockSize({ family, prefixLength }: Pick<Cidr, "family" | "prefixLength">): bigint {
  return 1n << BigInt(addressBits[family] - prefixLength);
}

export function lastAddress(cidr: Cidr): bigint {
  return cidr.base + blockSize(cidr) - 1n;
}

export function contains(outer: Cidr, inner: Cidr): boolean {
  return outer.family === inner.family && outer.base <= inner.base && lastAddress(inner) <= lastAddress(outer);
}

export function containsAddress(cidr: Cidr, address: string): boolean {
  const family = familyOf(address);
  return family !== undefined && contains(cidr, { family, base: addressNumber(address), prefixLength: addressBits[family] });
}

export function overlaps(a: Cidr, b: Cidr): boolean {
  return a.family === b.family && a.base <= lastAddress(b) && b.base <= lastAddress(a);
}

export function addressNumber(address: string): bigint {
  return BigInt(`0x${addressBytes(address).toString("hex")}`);
}

export function numberAddress(family: Family, value: bigint): string {
  return addressText(Buffer.from(value.toString(16).padStart(addressBits[family] / 4, "0"), "hex"));
}
