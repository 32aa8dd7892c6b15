import { closeSync } from "node:fs";
import { check, libc } from "./libc.ts";
import { addressBytes, addressFamily, addressText, familyOf } from "./netlink/ip-address.ts";

/// Sockets bound by system calls: for namespaces that Bun's own sockets cannot reach, and for ports that are held without a listener.
const SOCK_STREAM = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SOL_SOCKET = 1;
const SO_REUSEADDR = 2;
const IPPROTO_IPV6 = 41;
const IPPROTO_SCTP = 132;
const IPV6_V6ONLY = 26;
const listenBacklog = 512;

export interface BoundSocketOptions {
  readonly protocol: "tcp" | "udp" | "sctp";
  readonly address: string;
  /** 0: the kernel's choice. */
  readonly port: number;
  /** Takes connections; only for tcp. */
  readonly listen?: boolean;
  /** Allows binding beside connections in TIME_WAIT. Two sockets may then hold one port unless one of them listens. */
  readonly reuseAddress?: boolean;
}

/** A bound, non-blocking socket; IPv6 ones are never for IPv4 too. The caller owns the descriptor. @throws {SystemError} EADDRINUSE, EADDRNOTAVAIL, … */
export function openBoundSocket(options: BoundSocketOptions): number {
  const family = familyOf(options.address) === 4 ? 4 : 6;
  const type = options.protocol === "udp" ? SOCK_DGRAM : SOCK_STREAM;
  const protocol = options.protocol === "sctp" ? IPPROTO_SCTP : 0;
  const what = `bind ${options.address}:${options.port}/${options.protocol}`;
  const descriptor = check(libc.socket(addressFamily[family], type | SOCK_NONBLOCK | SOCK_CLOEXEC, protocol), what);
  try {
    if (options.reuseAddress) setOption(descriptor, SOL_SOCKET, SO_REUSEADDR, what);
    if (family === 6) setOption(descriptor, IPPROTO_IPV6, IPV6_V6ONLY, what);
    const address = socketAddress(options.address, options.port);
    check(libc.bind(descriptor, address, address.length), what);
    if (options.listen) check(libc.listen(descriptor, listenBacklog), what);
    return descriptor;
  } catch (error) {
    closeSync(descriptor);
    throw error;
  }
}

/** Where a socket is bound. */
export function localAddress(descriptor: number): { readonly address: string; readonly port: number } {
  const buffer = Buffer.alloc(28);
  const length = Buffer.alloc(4);
  length.writeUInt32LE(buffer.length);
  check(libc.getsockname(descriptor, buffer, length), "address of socket");
  const bytes = buffer.readUInt16LE(0) === addressFamily[4] ? buffer.subarray(4, 8) : buffer.subarray(8, 24);
  return { address: addressText(bytes), port: buffer.readUInt16BE(2) };
}

/** struct sockaddr_in or sockaddr_in6. */
function socketAddress(address: string, port: number): Buffer {
  const bytes = addressBytes(address);
  const buffer = Buffer.alloc(bytes.length === 4 ? 16 : 28);
  buffer.writeUInt16LE(addressFamily[bytes.length === 4 ? 4 : 6], 0);
  buffer.writeUInt16BE(port, 2);
  bytes.copy(buffer, bytes.length === 4 ? 4 : 8);
  return buffer;
}

function setOption(descriptor: number, level: number, name: number, what: string): void {
  const on = Buffer.alloc(4);
  on.writeInt32LE(1);
  check(libc.setsockopt(descriptor, level, name, on, on.length), what);
}
