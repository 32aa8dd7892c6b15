import type { BigIntStats } from "node:fs";

/** Bits of Go's os.FileMode above the permissions. Source: Go, package io/fs. */
const bits = {
  directory: 2 ** 31,
  symlink: 2 ** 27,
  device: 2 ** 26,
  fifo: 2 ** 25,
  socket: 2 ** 24,
  setuid: 2 ** 23,
  setgid: 2 ** 22,
  characterDevice: 2 ** 21,
  sticky: 2 ** 20,
} as const;

/** st_mode as Go's os.FileMode, which is what the API tells of a path. */
export function goFileMode(stat: BigIntStats): number {
  const mode = Number(stat.mode);
  let result = mode & 0o777;
  if (stat.isDirectory()) result += bits.directory;
  else if (stat.isSymbolicLink()) result += bits.symlink;
  else if (stat.isFIFO()) result += bits.fifo;
  else if (stat.isSocket()) result += bits.socket;
  else if (stat.isBlockDevice()) result += bits.device;
  else if (stat.isCharacterDevice()) result += bits.device + bits.characterDevice;
  if (mode & 0o4000) result += bits.setuid;
  if (mode & 0o2000) result += bits.setgid;
  if (mode & 0o1000) result += bits.sticky;
  return result;
}
