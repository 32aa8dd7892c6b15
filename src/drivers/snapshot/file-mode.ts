/** File type bits of st_mode. Source: inode(7). */
export const fileType = {
  mask: 0o170000,
  fifo: 0o010000,
  character: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  symlink: 0o120000,
  socket: 0o140000,
} as const;

/** Device number as the kernel and EROFS encode it in 32 bits. Source: linux/kdev_t.h, new_encode_dev. */
export function encodeDevice(major: number, minor: number): number {
  return ((minor & 0xff) | (major << 8) | ((minor & ~0xff) << 12)) >>> 0;
}
