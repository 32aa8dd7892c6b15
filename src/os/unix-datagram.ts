import { constants } from "node:os";
import { check, lastErrno, libc, SystemError } from "./libc.ts";

const AF_UNIX = 1;
const SOCK_DGRAM = 2;
const SOCK_NONBLOCK = 0o4000;
const SOCK_CLOEXEC = 0o2000000;
const MSG_NOSIGNAL = 0x4000;
const maximumPath = 107;

/** Connects to a unix socket of type DGRAM, which neither Node nor Bun know, and returns the descriptor. Source: unix(7). */
export function connectUnixDatagram(path: string): number {
  if (Buffer.byteLength(path) > maximumPath) throw new SystemError(`connect to ${path}`, constants.errno.ENAMETOOLONG);
  const descriptor = check(libc.socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), "open socket");
  const address = Buffer.alloc(110);
  address.writeUInt16LE(AF_UNIX, 0);
  address.write(path, 2);
  try {
    check(libc.connect(descriptor, address, 3 + Buffer.byteLength(path)), `connect to ${path}`);
  } catch (error) {
    libc.close(descriptor);
    throw error;
  }
  return descriptor;
}

/** Sends one datagram; false when the receiver's queue is full. @throws {SystemError} such as `ECONNREFUSED` when nobody receives any more */
export function sendDatagram(descriptor: number, bytes: Uint8Array): boolean {
  if (Number(libc.send(descriptor, bytes, bytes.length, MSG_NOSIGNAL)) >= 0) return true;
  const errno = lastErrno();
  if (errno === constants.errno.EAGAIN || errno === constants.errno.ENOBUFS) return false;
  throw new SystemError("send datagram", errno);
}
