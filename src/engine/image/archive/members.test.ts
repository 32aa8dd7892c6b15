import { expect, test } from "bun:test";
import type { TarEntry } from "#lib/tar/entry.ts";
import { ArchiveIndex } from "./members.ts";

function entry(type: TarEntry["type"], path: string, link = "", dataOffset = 512): TarEntry {
  const owner = { mode: 0o644, uid: 0, gid: 0, userName: "", groupName: "", deviceMajor: 0, deviceMinor: 0 };
  const modified = { seconds: 0, nanoseconds: 0 };
  return { type, path, link, dataOffset, modified, ...owner, sizeBytes: 3, storedBytes: 3, xattrs: new Map(), segments: undefined };
}

function index(...entries: TarEntry[]): ArchiveIndex {
  const made = new ArchiveIndex();
  for (const one of entries) made.add(one, one.type === "file" ? { path: "f", offset: one.dataOffset, sizeBytes: 3 } : undefined);
  return made;
}

test("members are found by any spelling of their path, the last entry of a path counting", () => {
  const archive = index(entry("file", "./a//b", "", 512), entry("file", "a/b", "", 2048));
  for (const path of ["a/b", "./a/b", "/a/b", "a/./b", "a/x/../b"])
    expect(archive.find(path)).toEqual({ path: "f", offset: 2048, sizeBytes: 3 });
  expect(archive.find("a")).toBeUndefined();
  expect(archive.find("constructor")).toBeUndefined();
});

test("links lead to other members, through folders and chains, and never out", () => {
  const archive = index(
    entry("file", "real/file"),
    entry("symlink", "dir", "real"),
    entry("symlink", "deep/link", "../dir/file"),
    entry("hardlink", "deep/hard", "real/file"),
    entry("symlink", "up", "../../../real/file"),
    entry("symlink", "absolute", "/deep/link"),
    entry("symlink", "passwd", "/etc/passwd"),
    entry("symlink", "loop", "loop"),
    entry("symlink", "ping", "pong"),
    entry("symlink", "pong", "ping/x"),
  );
  for (const path of ["dir/file", "deep/link", "deep/hard", "up", "absolute"]) expect(archive.find(path)).toBeDefined();
  for (const path of ["passwd", "loop", "loop/x", "ping", "../etc/passwd"]) expect(archive.find(path)).toBeUndefined();
});

test("what is no file has no range", () => {
  expect(index(entry("character", "c")).find("c")).toBeUndefined();
});

test("an archive with too many members is refused", () => {
  const archive = new ArchiveIndex();
  expect(() => {
    for (let count = 0; count < 70_000; count++) archive.add(entry("file", `f${count}`), undefined);
  }).toThrow("too many members");
});
