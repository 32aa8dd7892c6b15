import { expect, test } from "bun:test";
import { archive, member } from "#lib/tar/fixtures.ts";
import { TarReader } from "#lib/tar/reader.ts";
import { LayerTree } from "../layer-tree.ts";
import { crc32c } from "./crc32c.ts";
import { directoryBlocks } from "./directory-blocks.ts";
import { writeIndex } from "./index-writer.ts";

function indexOf(tar: Buffer): Buffer {
  const tree = new LayerTree();
  const reader = new TarReader(tree);
  reader.push(tar);
  reader.finish();
  tree.settle(() => undefined);
  return writeIndex(tree.root, tar.length);
}

test("the checksum is CRC-32C without the last inversion", () => {
  expect(crc32c(Buffer.from("123456789"))).toBe(~0xe3069283 >>> 0);
});

test("the same archive gives the same bytes", () => {
  const tar = archive(member("a/"), member("a/f", {}, "x"), member("l", { type: "symlink", link: "a" }));
  expect(indexOf(tar)).toEqual(indexOf(tar));
});

test("superblock and device table tell what the kernel needs", () => {
  const tar = archive(member("a", {}, "x"), member("b"));
  const index = indexOf(tar);
  expect(index.readUInt32LE(1024)).toBe(0xe0f5e1e2);
  expect(index.readUInt16LE(1024 + 14)).toBe(1280 / 32);
  expect(index.readBigUInt64LE(1024 + 16)).toBe(3n);
  expect(index.readUInt32LE(1024 + 36)).toBe(index.length / 512);
  expect(index.readUInt32LE(1152 + 64)).toBe(tar.length / 512);
  expect(index.readUInt32LE(1152 + 68)).toBe(index.length / 512);
});

test("directories are cut into blocks that hold their entries and names", () => {
  const names = Array.from({ length: 100 }, (_, index) => `name-${String(index).padStart(3, "0")}`);
  const blocks = directoryBlocks(names);
  expect(blocks.map(({ start, end }) => end - start)).toEqual([25, 25, 25, 25]);
  expect(blocks.every(({ usedBytes }) => usedBytes <= 512)).toBe(true);
  expect(directoryBlocks(["n".repeat(255), "m".repeat(255)])).toHaveLength(2);
});

test("attributes whose tail fits at no place do not hang the layout", () => {
  // Inode, attributes and tail of every length around a block: some fit nowhere (format: steps of 32 bytes).
  for (let length = 440; length < 512; length++) {
    const names = [member(`d/${"n".repeat(200)}`), member(`d/${"m".repeat(length - 40 - 200 - 12 * 4 - 3)}`)];
    const xattrs = new Map([["user.a", Buffer.alloc(length % 32)]]);
    expect(indexOf(archive(member("d/", { xattrs }), ...names)).length).toBeGreaterThan(1280);
  }
});
