import { afterEach, beforeEach, expect, test } from "bun:test";
import { lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isInitFile, makeInitFiles } from "./init-files.ts";

let folder: string;
let rootfs: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "init-files-"));
  rootfs = join(folder, "rootfs");
  mkdirSync(rootfs);
});
afterEach(() => rmSync(folder, { recursive: true }));

test("makeInitFiles() makes .dockerenv and mtab, again without harm", () => {
  mkdirSync(join(rootfs, "etc"));
  makeInitFiles(rootfs);
  makeInitFiles(rootfs);
  expect(readFileSync(join(rootfs, ".dockerenv"), "utf8")).toBe("");
  expect(lstatSync(join(rootfs, ".dockerenv")).mode & 0o777).toBe(0o755);
  expect(readlinkSync(join(rootfs, "etc/mtab"))).toBe("/proc/mounts");
});

test("makeInitFiles() leaves what the image has", () => {
  mkdirSync(join(rootfs, "etc"));
  writeFileSync(join(rootfs, "etc/mtab"), "own");
  writeFileSync(join(rootfs, ".dockerenv"), "own");
  makeInitFiles(rootfs);
  expect(readFileSync(join(rootfs, "etc/mtab"), "utf8")).toBe("own");
  expect(readFileSync(join(rootfs, ".dockerenv"), "utf8")).toBe("own");
});

test("A5: makeInitFiles() follows no link out of the root file system", () => {
  const outside = join(folder, "outside");
  mkdirSync(outside);
  symlinkSync(outside, join(rootfs, "etc"));
  symlinkSync(join(outside, "made"), join(rootfs, ".dockerenv"));
  makeInitFiles(rootfs);
  expect(readdirSync(outside)).toEqual([]);
});

test.each(["nothing", "a file"])("makeInitFiles() lets an image be that has %s at /etc", (what) => {
  if (what === "a file") writeFileSync(join(rootfs, "etc"), "");
  makeInitFiles(rootfs);
  expect(readdirSync(rootfs).includes(".dockerenv")).toBe(true);
});

test("isInitFile() knows what was made from what was written later", () => {
  const file = (size: bigint) => ({ size, isSymbolicLink: () => false });
  const link = { size: 12n, isSymbolicLink: () => true };
  expect([isInitFile("/.dockerenv", file(0n)), isInitFile("/etc/mtab", link)]).toEqual([true, true]);
  expect([isInitFile("/.dockerenv", file(1n)), isInitFile("/etc/mtab", file(5n)), isInitFile("/a/.dockerenv", file(0n))]).toEqual([
    false,
    false,
    false,
  ]);
});
