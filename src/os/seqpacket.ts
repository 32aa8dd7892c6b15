import { check, libc } from "./libc.ts";

const AF_UNIX = 1;
const SOCK_SEQPACKET = 5;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const SHUT_RD = 0;
const SHUT_WR = 1;
const maximumPath = 107;

/**
 * Connects to a unix socket of type SEQPACKET and returns the descriptor, for `Bun.connect({ fd })`; node:net knows no such sockets.
 * @param shutOutput  nothing is ever read here: the peer's writes fail with EPIPE instead of waiting for us
 * Source: unix(7).
 */
export function connectSeqpacket(path: string, shutOutput: boolean): number {
  if (Buffer.byteLength(path) > maximumPath) throw new Error(`socket path longer than ${maximumPath} bytes: ${path}`);
  const descriptor = check(libc.socket(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "open socket");
  const address = Buffer.alloc(110);
  address.writeUInt16LE(AF_UNIX, 0);
  address.write(path, 2);
  try {
    check(libc.connect(descriptor, address, 3 + Buffer.byteLength(path)), `connect to ${path}`);
    if (shutOutput) check(libc.shutdown(descriptor, SHUT_RD), `shut the output of ${path}`);
  } catch (error) {
    libc.close(descriptor);
    throw error;
  }
  return descriptor;
}

/** The peer reads the end of our input; what it writes can still be received. Source: shutdown(2). */
export function endSeqpacketInput(descriptor: number): void {
  check(libc.shutdown(descriptor, SHUT_WR), "end the input of a socket");
}
