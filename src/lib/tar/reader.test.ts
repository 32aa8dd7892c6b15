import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { TarError } from "./error.ts";
import { archive, member, paxMember, rawMember, readAll, withChecksum } from "./fixtures.ts";
import { TarReader } from "./reader.ts";

const only = (bytes: Uint8Array) => {
  const all = readAll(bytes);
  expect(all).toHaveLength(1);
  return all[0]!;
};

/** Reads and throws everything away. */
function read(bytes: Uint8Array): void {
  const reader = new TarReader({ entry: () => {} });
  reader.push(bytes);
  reader.finish();
}

describe("TarReader", () => {
  test("tells the fields of a ustar header", () => {
    const { entry, content } = only(
      archive(member("d/f", { mode: 0o4755, uid: 7, gid: 8, modified: { seconds: 9, nanoseconds: 0 } }, "hello")),
    );
    expect(entry).toMatchObject({ type: "file", path: "d/f", mode: 0o4755, uid: 7, gid: 8, sizeBytes: 5, storedBytes: 5, dataOffset: 512 });
    expect(entry.modified).toEqual({ seconds: 9, nanoseconds: 0 });
    expect(content.toString()).toBe("hello");
  });

  test.each([1, 7, 511, 512, 513, 100_000])("gives the same entries when pushed in pieces of %d bytes", (pieceBytes) => {
    const bytes = archive(
      paxMember({ path: "n".repeat(300), mtime: "1.5" }),
      rawMember("x", {}, "a".repeat(1000)),
      member("e/"),
      member("f", {}, "b"),
    );
    expect(readAll(bytes, pieceBytes)).toEqual(readAll(bytes));
  });

  test("knows every type of entry, and what archives before POSIX wrote", () => {
    const types = ["0", "\0", "7", "1", "2", "3", "4", "5", "6"].map((type) => rawMember("x", { type, link: "l" }));
    expect(readAll(archive(...types)).map(({ entry }) => entry.type)).toEqual([
      "file",
      "file",
      "file",
      "hardlink",
      "symlink",
      "character",
      "block",
      "directory",
      "fifo",
    ]);
    expect(only(archive(rawMember("old/", { type: "\0", magic: "" }))).entry.type).toBe("directory");
  });

  test("takes no data for links, devices and directories, whatever their size says", () => {
    const bytes = archive(rawMember("l", { type: "2", link: "t", size: "00000001000\0" }), member("next", {}, "x"));
    expect(readAll(bytes).map(({ entry }) => [entry.path, entry.sizeBytes])).toEqual([
      ["l", 0],
      ["next", 1],
    ]);
  });

  test("joins the ustar prefix, but not GNU's fields in its place, and only the shorter one of star", () => {
    expect(only(archive(rawMember("b", { prefix: "a" }))).entry.path).toBe("a/b");
    expect(only(archive(rawMember("b", { prefix: "a", magic: "ustar  \0" }))).entry.path).toBe("b");
    expect(only(archive(rawMember("b", { prefix: `${"p".repeat(131)}12345678901\0`, at: { 508: "tar\0" } }))).entry.path).toBe(
      `${"p".repeat(131)}/b`,
    );
  });

  test("applies PAX records to the next entry alone", () => {
    const xattr = Buffer.from([1, 0, 0xff]).toString("latin1");
    const records = { path: "p".repeat(200), uid: "3000000000", mtime: "-1.5", "SCHILY.xattr.user.k": xattr, size: "3" };
    const [first, second] = readAll(archive(paxMember(records), rawMember("short", { size: "00000000000\0" }, "abc"), rawMember("next")));
    expect(first!.entry).toMatchObject({ path: "p".repeat(200), uid: 3_000_000_000, sizeBytes: 3 });
    expect(first!.entry.modified).toEqual({ seconds: -2, nanoseconds: 500_000_000 });
    expect(first!.entry.xattrs.get("user.k")).toEqual(Buffer.from([1, 0, 0xff]));
    expect(second!.entry).toMatchObject({ path: "next", uid: 0 });
  });

  test("does not apply global PAX headers", () => {
    expect(only(archive(paxMember({ path: "evil" }, "g"), rawMember("name"))).entry.path).toBe("name");
  });

  test("reads GNU long names and links, and numbers in base 256", () => {
    const long = "x".repeat(400);
    const size = Buffer.from([0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2]);
    const time = Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]);
    const { entry, content } = only(
      archive(rawMember("L", { type: "L" }, `${long}\0`), rawMember("s", { size, magic: "ustar  \0", at: { 136: time } }, "ab")),
    );
    expect(entry).toMatchObject({ path: long, sizeBytes: 2, modified: { seconds: -1, nanoseconds: 0 } });
    expect(content.toString()).toBe("ab");
    const link = only(archive(rawMember("K", { type: "K" }, `${long}\0`), rawMember("l", { type: "2", link: "cut" })));
    expect(link.entry.link).toBe(long);
  });

  test("keeps names that are not UTF-8 byte by byte", () => {
    expect(Buffer.from(only(archive(rawMember("\xff\xfe"))).entry.path, "latin1")).toEqual(Buffer.from([0xff, 0xfe]));
  });

  test("accepts an archive without its end marks, without its last padding, and an empty one", () => {
    expect(readAll(member("a", {}, "x"))).toHaveLength(1);
    expect(readAll(member("a", {}, "x").subarray(0, 513))).toHaveLength(1);
    expect(readAll(new Uint8Array(0))).toHaveLength(0);
  });
});

describe("sparse files", () => {
  const segments = [
    { offset: 0, sizeBytes: 3 },
    { offset: 10, sizeBytes: 2 },
  ];
  const expected = { type: "file", sizeBytes: 20, storedBytes: 5, segments };
  const octal = (value: number): string => `${value.toString(8).padStart(11, "0")}\0`;
  const map = (list: readonly { offset: number; sizeBytes: number }[]): string =>
    list.map(({ offset, sizeBytes }) => octal(offset) + octal(sizeBytes)).join("");

  test("old GNU format", () => {
    const { entry, content } = only(
      archive(rawMember("s", { type: "S", magic: "ustar  \0", at: { 386: map(segments), 483: octal(20) } }, "abcde")),
    );
    expect(entry).toMatchObject(expected);
    expect(content.toString()).toBe("abcde");
  });

  test("old GNU format with extension blocks", () => {
    const many = Array.from({ length: 30 }, (_, index) => ({ offset: index * 2, sizeBytes: 1 }));
    const head = rawMember("s", {
      type: "S",
      magic: "ustar  \0",
      size: octal(30),
      at: { 386: map(many.slice(0, 4)), 482: "\x01", 483: octal(60) },
    });
    const more = [many.slice(4, 25), many.slice(25)].map((part, index) => {
      const block = Buffer.alloc(512);
      block.write(map(part), "latin1");
      block[504] = index === 0 ? 1 : 0;
      return block;
    });
    const { entry, content } = only(archive(head, ...more, Buffer.from("d".repeat(30).padEnd(512, "\0"))));
    expect(entry.segments).toEqual(many);
    expect(content).toHaveLength(30);
  });

  test("PAX formats 0.0 and 0.1", () => {
    const pairs = segments.flatMap(
      ({ offset, sizeBytes }) =>
        [
          ["GNU.sparse.offset", `${offset}`],
          ["GNU.sparse.numbytes", `${sizeBytes}`],
        ] as const,
    );
    const version00 = paxMember([["GNU.sparse.size", "20"], ["GNU.sparse.numblocks", "2"], ...pairs]);
    const version01 = paxMember({ "GNU.sparse.name": "real", "GNU.sparse.size": "20", "GNU.sparse.map": "0,3,10,2" });
    expect(only(archive(version00, rawMember("s", {}, "abcde"))).entry).toMatchObject(expected);
    expect(only(archive(version01, rawMember("s", {}, "abcde"))).entry).toMatchObject({ ...expected, path: "real" });
  });

  test("PAX format 1.0, whose map lies before the data", () => {
    const records = { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.name": "real", "GNU.sparse.realsize": "20" };
    const { entry, content } = only(archive(paxMember(records), rawMember("s", {}, `${"2\n0\n3\n10\n2\n".padEnd(512, "\0")}abcde`)));
    expect(entry).toMatchObject({ ...expected, path: "real", dataOffset: 4 * 512 });
    expect(content.toString()).toBe("abcde");
  });

  const realSize = ["GNU.sparse.size", "20"] as const;
  test.each([
    ["overlap", "0,3,2,2"],
    ["go backwards", "10,2,0,3"],
    ["reach beyond the file", "0,3,19,2"],
    ["need other data than stored", "0,3"],
    ["are negative", "0,3,10,-2"],
    ["are odd in number", "0,3,10"],
  ])("segments that %s are refused", (_, list) => {
    expect(() => read(archive(paxMember([realSize, ["GNU.sparse.map", list]]), rawMember("s", {}, "abcde")))).toThrow(TarError);
  });

  test("a map that claims a million segments is refused before they are read", () => {
    const records = { "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "20" };
    expect(() => read(archive(paxMember(records), rawMember("s", {}, "1000000\n".padEnd(1024, "1\n"))))).toThrow("too long");
  });
});

describe("bad archives are refused with a TarError", () => {
  const good = archive(member("a", {}, "x".repeat(3000)));
  const flipped = Buffer.from(good);
  flipped[3]! ^= 1;
  test.each<[string, Uint8Array]>([
    ["checksum", flipped],
    ["cut header", good.subarray(0, 300)],
    ["cut data", good.subarray(0, 1500)],
    ["garbage", Buffer.alloc(4096, 0x55)],
    ["entry after a lone zero block", Buffer.concat([Buffer.alloc(512), member("a")])],
    ["unknown type", rawMember("m", { type: "M" })],
    ["negative size", rawMember("a", { size: Buffer.alloc(12, 0xff) })],
    ["size beyond 2^53", rawMember("a", { size: Buffer.concat([Buffer.of(0x80), Buffer.alloc(11, 0xff)]) })],
    ["letters in a number", rawMember("a", { size: "0000000abcd\0" })],
    ["device number out of range", rawMember("a", { type: "3", at: { 329: "7777777\0" } })],
    ["PAX record longer than its header", rawMember("p", { type: "x" }, "99 a=b\n")],
    ["PAX record without newline", rawMember("p", { type: "x" }, "6 a=bb")],
    ["PAX record without key", rawMember("p", { type: "x" }, "5 =b\n")],
    ["PAX uid out of range", Buffer.concat([paxMember({ uid: "4294967295" }), rawMember("a")])],
    ["PAX time", Buffer.concat([paxMember({ mtime: "soon" }), rawMember("a")])],
    ["PAX header of 2 MiB", rawMember("p", { type: "x" }, "A".repeat(2 << 20))],
    ["PAX header at the end", archive(paxMember({ path: "x" }))],
    ["PAX header before nothing", paxMember({ path: "x" })],
  ])("%s", (_, bytes) => {
    expect(() => read(bytes)).toThrow(TarError);
  });

  test("many extended headers before one entry are bounded together", () => {
    const one = paxMember({ comment: "c".repeat(400_000) });
    expect(() => read(Buffer.concat([one, one, one, rawMember("a")]))).toThrow("too large");
  });

  test("the error tells where", () => {
    const bytes = Buffer.concat([member("a", {}, "x"), rawMember("b", { type: "M" })]);
    expect(() => read(bytes)).toThrow("at byte 1024");
  });
});

describe("any damage gives entries or a TarError, nothing else", () => {
  const base = archive(
    member("d/"),
    member("d/f", { modified: { seconds: 1, nanoseconds: 5 }, xattrs: new Map([["user.a", Buffer.from("b")]]) }, "content"),
    member("l", { type: "symlink", link: "d" }),
    paxMember({ "GNU.sparse.major": "1", "GNU.sparse.minor": "0", "GNU.sparse.realsize": "20" }),
    rawMember("s", {}, `${"1\n0\n3\n".padEnd(512, "\0")}abc`),
    rawMember("o", { type: "S", magic: "ustar  \0", at: { 386: "00000000000\x0000000000003\0", 483: "00000000024\0" } }, "abc"),
  );
  const outcome = (bytes: Uint8Array): void => {
    try {
      read(bytes);
    } catch (error) {
      expect(error).toBeInstanceOf(TarError);
    }
  };

  test("every truncation", () => {
    for (let length = 0; length < base.length; length++) outcome(base.subarray(0, length));
  });

  test("bytes changed at random, with the checksum made right again", () => {
    const change = fc.record({ at: fc.nat(base.length - 1), byte: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = Buffer.from(base);
        for (const { at, byte } of changes) {
          bytes[at] = byte;
          withChecksum(bytes.subarray(at & ~511, (at & ~511) + 512));
        }
        outcome(bytes);
      }),
      { numRuns: 3000 },
    );
  });
});
