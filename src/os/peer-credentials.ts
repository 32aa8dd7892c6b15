import { libc } from "./libc.ts";

const SOL_SOCKET = 1;
const SO_PEERCRED = 17;

/** User id of the process that connected to a Unix socket; undefined for other sockets. Source: unix(7), socket(7). */
export function peerUid(descriptor: number): number | undefined {
  const credentials = Buffer.alloc(12); // struct ucred: pid, uid, gid
  const length = Buffer.alloc(4);
  length.writeUInt32LE(credentials.length);
  if (libc.getsockopt(descriptor, SOL_SOCKET, SO_PEERCRED, credentials, length) !== 0) return undefined;
  const uid = credentials.readUInt32LE(4);
  return uid === 0xffffffff ? undefined : uid; // a TCP socket answers with no process and the invalid id
}
