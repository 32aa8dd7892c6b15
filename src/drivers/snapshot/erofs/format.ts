import { fileType } from "../file-mode.ts";

/**
 * The parts of EROFS' disk format that an index uses: metadata in blocks of 512 bytes, file data on a second device (the layer's tar).
 * Little endian. Source: linux fs/erofs/erofs_fs.h; kernel documentation, filesystems/erofs.
 */
export const blockBytes = 512;
export const blockBits = 9;
/** Inodes are numbered by their position in steps of this. */
export const slotBytes = 32;
export const superblockOffset = 1024;
export const deviceTableOffset = superblockOffset + 128;
export const deviceSlotBytes = 128;
/** The root comes first: its number has only 16 bits. */
export const firstInodeOffset = deviceTableOffset + deviceSlotBytes;

export const magic = 0xe0f5e1e2;
/** compat: the superblock has a checksum; the build time is a modification time. */
export const featureChecksum = 1;
export const featureModificationTime = 2;
/** incompat: there is a device table. */
export const featureDeviceTable = 8;

export const compactInodeBytes = 32;
export const extendedInodeBytes = 64;
/** Data layouts of an inode. */
export const layoutPlain = 0;
export const layoutInline = 2;

export const directoryEntryBytes = 12;
export const xattrHeaderBytes = 12;

/** Type of a directory entry, by file type bits of the mode. */
export const directoryEntryType: Readonly<Record<number, number>> = {
  [fileType.file]: 1,
  [fileType.directory]: 2,
  [fileType.character]: 3,
  [fileType.block]: 4,
  [fileType.fifo]: 5,
  [fileType.socket]: 6,
  [fileType.symlink]: 7,
};

export function alignUp(value: number, step: number): number {
  return Math.ceil(value / step) * step;
}
