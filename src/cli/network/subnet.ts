/** True when `address` lies in `subnet` (CIDR); false for what cannot be read, which the daemon then names. */
export function contains(subnet: string, address: string): boolean {
  const [base = "", length = ""] = subnet.split("/");
  const network = addressBits(base);
  const member = addressBits(address);
  if (!network || !member || network.width !== member.width || !/^\d{1,3}$/.test(length)) return false;
  const shift = BigInt(Math.max(0, network.width - Number(length)));
  return network.value >> shift === member.value >> shift;
}

/** An address with the length of its network, as `10.0.0.0/8`. */
export function isSubnet(text: string): boolean {
  const [base = "", length = ""] = text.split("/");
  const bits = addressBits(base);
  return bits !== undefined && /^\d{1,3}$/.test(length) && Number(length) <= bits.width;
}

function addressBits(text: string): { readonly width: 32 | 128; readonly value: bigint } | undefined {
  if (/^\d{1,3}(\.\d{1,3}){3}$/.test(text))
    return { width: 32, value: text.split(".").reduce((bits, part) => (bits << 8n) | BigInt(part), 0n) };
  if (!text.includes(":") || !URL.canParse(`http://[${text}]/`)) return undefined;
  // URL writes IPv6 addresses in one canonical form.
  const [head = "", tail] = new URL(`http://[${text}]/`).hostname.slice(1, -1).split("::");
  const groups = (part: string): string[] => (part === "" ? [] : part.split(":"));
  const zeros = tail === undefined ? 0 : 8 - groups(head).length - groups(tail).length;
  const all = [...groups(head), ...Array.from({ length: zeros }, () => "0"), ...groups(tail ?? "")];
  return { width: 128, value: all.reduce((bits, group) => (bits << 16n) | BigInt(`0x${group}`), 0n) };
}
