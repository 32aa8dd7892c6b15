import { isIPv4, isIPv6 } from "node:net";
import ipaddr from "ipaddr.js";

export type Family = 4 | 6;

/** AF_INET and AF_INET6 as the kernel numbers them. */
export const addressFamily = { 4: 2, 6: 10 } as const;

/** The family of an address; undefined when the text is none. Zones (`fe80::1%eth0`) are no plain address. */
export function familyOf(text: string): Family | undefined {
  if (isIPv4(text)) return 4;
  return isIPv6(text) && !text.includes("%") ? 6 : undefined;
}

/** 4 or 16 bytes in network order. @throws {TypeError} when the text is no address */
export function addressBytes(text: string): Buffer {
  const family = familyOf(text);
  if (family === 4) return Buffer.from(text.split(".").map(Number));
  if (family === 6) return Buffer.from(ipaddr.IPv6.parse(text).toByteArray());
  throw new TypeError(`invalid IP address ${JSON.stringify(text)}`);
}

/** The text of 4 or 16 bytes; IPv6 in its shortest form (RFC 5952). */
export function addressText(bytes: Buffer): string {
  return bytes.length === 4 ? bytes.join(".") : new ipaddr.IPv6([...bytes]).toRFC5952String();
}
