import { afterAll, beforeAll, expect, test } from "bun:test";
import { closeSync, mkdtempSync, openSync, readdirSync, readSync, rmSync, statSync, statfsSync, writeSync } from "node:fs";
import { join } from "node:path";
import { encodeHead, endOfArchive, paddingBytes } from "#lib/tar/encode.ts";
import { archive, member } from "#lib/tar/fixtures.ts";
import { fsckComplaint } from "./fsck.ts";
import { withIndexOf } from "./stored-tar.ts";

let folder: string;
beforeAll(() => void (folder = mkdtempSync("/var/tmp/gantry-large-")));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const modified = { seconds: 1_000_000_000, nanoseconds: 0 };

test("a directory of 100,000 names is listed whole, and each is found", async () => {
  const tar = join(folder, "many.tar");
  const names = Array.from({ length: 100_000 }, (_, index) => `name-${index}-${"x".repeat(index % 30)}`);
  await Bun.write(tar, archive(member("d/"), ...names.map((name) => member(`d/${name}`))));
  await withIndexOf(tar, async ({ target, index }) => {
    expect(readdirSync(join(target, "d")).sort()).toEqual(names.toSorted());
    for (let at = 0; at < names.length; at += 97) expect(statSync(join(target, "d", names[at] ?? "")).size).toBe(0);
    expect(statSync(join(target, "d/name-"), { throwIfNoEntry: false })).toBeUndefined();
    expect(await fsckComplaint(index, tar)).toBe("");
  });
}, 120_000);

test("70,000 hard links, more than the short inode can count", async () => {
  const tar = join(folder, "links.tar");
  const links = Array.from({ length: 70_000 }, (_, index) => member(`l${index}`, { type: "hardlink", link: "f" }));
  await Bun.write(tar, archive(member("f", {}, "x"), ...links));
  await withIndexOf(tar, async ({ target, index }) => {
    const [first, last] = ["f", "l69999"].map((name) => statSync(join(target, name)));
    expect([last?.nlink, last?.ino]).toEqual([70_001, first?.ino]);
    expect(await fsckComplaint(index, tar)).toBe("");
  });
}, 120_000);

test("a file of more than 4 GiB, and what lies behind it", async () => {
  const tar = join(folder, "big.tar");
  const sizeBytes = 2 ** 32 + 1_000_001;
  const marks = [0, 2 ** 31 - 2, 2 ** 32 - 2, sizeBytes - 5];
  // The archive's own file has holes: nothing of this size is written.
  const file = openSync(tar, "w");
  let end = writeSync(file, encodeHead({ type: "file", path: "big", mode: 0o644, uid: 0, gid: 0, modified, sizeBytes }));
  for (const mark of marks) writeSync(file, Buffer.from("mark!"), 0, 5, end + mark);
  end += sizeBytes + paddingBytes(sizeBytes);
  const rest = Buffer.concat([member("after", {}, "behind"), endOfArchive]);
  writeSync(file, rest, 0, rest.length, end);
  closeSync(file);

  await withIndexOf(tar, async ({ target, form }) => {
    expect(form).toBe("erofs");
    expect(statSync(join(target, "big")).size).toBe(sizeBytes);
    const big = openSync(join(target, "big"), "r");
    const found = marks.map((mark) => {
      const bytes = Buffer.alloc(8, "?");
      const length = readSync(big, bytes, 0, 8, mark);
      return bytes.toString("latin1", 0, length);
    });
    closeSync(big);
    expect(found).toEqual(["mark!\0\0\0", "mark!\0\0\0", "mark!\0\0\0", "mark!"]);
    expect(await Bun.file(join(target, "after")).text()).toBe("behind");
    expect(statfsSync(target).type).toBe(0xe0f5e1e2);
  });
}, 120_000);
