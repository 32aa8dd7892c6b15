import { crc32c } from "./crc32c.ts";
import {
  blockBits,
  blockBytes,
  deviceTableOffset,
  featureChecksum,
  featureDeviceTable,
  featureModificationTime,
  magic,
  superblockOffset,
} from "./format.ts";
import type { Layout } from "./layout.ts";

/**
 * Writes superblock and device table into an image that is complete otherwise: identifier and checksum are computed from it.
 * The one extra device is the tar, mapped behind the image's own blocks.
 */
export function writeSuperblock(image: Buffer, layout: Layout, tarBlocks: number): void {
  const at = superblockOffset;
  image.writeUInt32LE(magic, at);
  image.writeUInt32LE(featureChecksum | featureModificationTime, at + 8);
  image[at + 12] = blockBits;
  image.writeUInt16LE(layout.inodes[0]?.number ?? 0, at + 14);
  image.writeBigUInt64LE(BigInt(layout.inodes.length), at + 16);
  image.writeBigInt64LE(BigInt(layout.buildTime.seconds), at + 24);
  image.writeUInt32LE(layout.buildTime.nanoseconds, at + 32);
  image.writeUInt32LE(layout.totalBlocks, at + 36);
  image.writeUInt32LE(featureDeviceTable, at + 80);
  image.writeUInt16LE(1, at + 86);
  image.writeUInt16LE(deviceTableOffset / 128, at + 88);
  image.writeUInt32LE(tarBlocks, deviceTableOffset + 64);
  image.writeUInt32LE(layout.totalBlocks, deviceTableOffset + 68);
  identifierOf(image).copy(image, at + 48);
  image.writeUInt32LE(crc32c(image.subarray(at, at + blockBytes)), at + 4);
}

/** A version 8 UUID from the content: the same layer has the same one everywhere. Source: RFC 9562, 5.8. */
function identifierOf(image: Buffer): Buffer {
  const identifier = Buffer.from(new Bun.CryptoHasher("sha256").update(image).digest()).subarray(0, 16);
  identifier[6] = ((identifier[6] ?? 0) & 0x0f) | 0x80;
  identifier[8] = ((identifier[8] ?? 0) & 0x3f) | 0x80;
  return identifier;
}
