import { dlopen, read } from "bun:ffi";

// Node has no call for fifos and devices.
const { symbols: libc } = dlopen("libc.so.6", {
  mknod: { args: ["ptr", "u32", "u64"], returns: "i32" },
  __errno_location: { args: [], returns: "ptr" },
});

const EPERM = 1;

/** Makes a fifo or a device. @throws {Error} without the right to make devices. Source: mknod(2), makedev(3). */
export function makeNode(path: Buffer, mode: number, { major, minor }: { readonly major: number; readonly minor: number }): void {
  const name = Buffer.concat([path, Buffer.of(0)]);
  const [high, low] = [BigInt(major), BigInt(minor)];
  const device = (low & 0xffn) | ((high & 0xfffn) << 8n) | ((low & ~0xffn) << 12n) | ((high & ~0xfffn) << 32n);
  if (libc.mknod(name, mode, device) === 0) return;
  const location = libc.__errno_location();
  const errno = location ? read.i32(location, 0) : 0;
  throw new Error(`mknod: ${errno === EPERM ? "operation not permitted" : `errno ${errno}`}`);
}
