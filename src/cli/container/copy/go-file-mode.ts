/** Bits of Go's os.FileMode, in which the daemon tells what a path is. Source: Go, package io/fs. */
const bits = { directory: 31, symlink: 27, device: 26 } as const;

/** Above 31 bits JavaScript's own operators would turn the number negative. */
function has(mode: number, bit: number): boolean {
  return Math.floor(mode / 2 ** bit) % 2 === 1;
}

export const isDirectory = (mode: number): boolean => has(mode, bits.directory);
export const isSymlink = (mode: number): boolean => has(mode, bits.symlink);
export const isDevice = (mode: number): boolean => has(mode, bits.device);
