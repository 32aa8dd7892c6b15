import { expect, test } from "bun:test";
import fc from "fast-check";
import { encodeHead, type TarEntryHead } from "./encode.ts";
import { archive, readAll } from "./fixtures.ts";

const text = (maxLength: number) =>
  fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)), minLength: 1, maxLength });

test("what is encoded is read back the same, whatever its names, numbers and attributes", () => {
  const heads = fc.record({
    path: text(400),
    type: fc.constantFrom("file", "directory", "symlink", "hardlink", "fifo", "character"),
    link: text(300),
    mode: fc.nat(0o7777),
    uid: fc.nat(0xfffffffe),
    gid: fc.nat(0xfffffffe),
    modified: fc.record({ seconds: fc.integer({ min: -(2 ** 40), max: 2 ** 40 }), nanoseconds: fc.nat(999_999_999) }),
    xattrs: fc.array(
      fc.tuple(
        text(40).filter((name) => !name.includes("=")),
        fc.uint8Array({ maxLength: 100 }),
      ),
    ),
  });
  fc.assert(
    fc.property(heads, (fields) => {
      const xattrs = new Map(fields.xattrs.map(([name, value]) => [name, Buffer.from(value)]));
      const head = { ...fields, xattrs, sizeBytes: 0 } as TarEntryHead;
      const entry = readAll(archive(encodeHead(head)))[0]?.entry;
      const link = head.type === "symlink" || head.type === "hardlink" ? fields.link : "";
      const { type, path, mode, uid, gid, modified } = head;
      expect(entry).toMatchObject({ type, path, link, mode, uid, gid, modified });
      expect(new Map(entry?.xattrs)).toEqual(xattrs);
    }),
    { numRuns: 500 },
  );
});

test("a file larger than eight gigabytes keeps its size", () => {
  const head = encodeHead({
    type: "file",
    path: "big",
    mode: 0o644,
    uid: 0,
    gid: 0,
    modified: { seconds: 0, nanoseconds: 0 },
    sizeBytes: 10_000_000_000,
  });
  expect(head.toString("latin1")).toContain("size=10000000000\n");
});

test("GNU tar reads what is encoded", () => {
  const head = encodeHead({
    type: "file",
    path: "ümläut".repeat(40),
    mode: 0o644,
    uid: 0,
    gid: 0,
    modified: { seconds: 0, nanoseconds: 0 },
    sizeBytes: 0,
  });
  const { exitCode } = Bun.spawnSync(["tar", "-tf", "-"], { stdin: archive(head) });
  expect(exitCode).toBe(0);
});
