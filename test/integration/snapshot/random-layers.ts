import fc from "fast-check";
import { archive, readAll } from "#lib/tar/fixtures.ts";
import { memberIn, sparseMember, type SparseForm, type TarForm } from "./tar-forms.ts";

const pick = <T>(...values: readonly T[]) => fc.constantFrom(...values);

/** Few short names, so that entries meet; those at the limits, in bytes that are no UTF-8, and around the places of `.` and `..`. */
const name = fc.oneof(
  { weight: 8, arbitrary: pick("a", "b", "c", "d", "!", "-x", "~", "...") },
  {
    weight: 1,
    arbitrary: fc.tuple(pick("n", "\xe9", "\xff"), fc.integer({ min: 1, max: 255 })).map(([unit, count]) => unit.repeat(count)),
  },
  { weight: 1, arbitrary: pick("\xc3\xa4", "\x01", "\\", "new\nline", ".whx", "n".repeat(255)) },
);
const path = fc.array(name, { minLength: 1, maxLength: 4 }).map((parts) => parts.join("/"));

/** Values as Linux takes them: two revisions of capabilities, the second with a root of its own. */
const capabilities = pick("0100000200200000000000000000000000000000", "010000030020000000000000000000000000000000e80300").map((hex) =>
  Buffer.from(hex, "hex"),
);
const plainXattr = fc.tuple(
  pick("user.a", "user.longer.name", `user.${"n".repeat(250)}`, "security.b", "trusted.c", "user.\xe9"),
  fc
    .oneof({ weight: 6, arbitrary: fc.integer({ min: 0, max: 700 }) }, { weight: 1, arbitrary: pick(4096, 65_535) })
    .map((length) => Buffer.alloc(length, "value")),
);
const xattrs = fc.oneof(
  { weight: 6, arbitrary: fc.constant(new Map<string, Buffer>()) },
  { weight: 3, arbitrary: fc.array(plainXattr, { maxLength: 3 }).map((list) => new Map<string, Buffer>(list)) },
  { weight: 1, arbitrary: capabilities.map((value) => new Map([["security.capability", value]])) },
  {
    weight: 1,
    arbitrary: fc
      .integer({ min: 10, max: 200 })
      .map((count) => new Map(Array.from({ length: count }, (_, at) => [`user.many.${at}`, Buffer.alloc(at % 40, "x")] as const))),
  },
);

const fields = fc.record({
  mode: pick(0o644, 0o755, 0o4711, 0o2755, 0o1777, 0, 0o7777),
  uid: pick(0, 1000, 65_535, 65_536, 3_000_000_000),
  gid: pick(0, 70_000),
  modified: fc.record({
    seconds: fc.oneof(
      fc.integer({ min: 0, max: 2 ** 31 }),
      pick(0, 1_000_000_000, -1, 1 - 2 ** 31, -(2 ** 31) - 1, 2 ** 32, 2 ** 34, 253_402_300_799 /* the year 9999 */),
    ),
    nanoseconds: pick(0, 0, 1, 999_999_999),
  }),
});

const forms = pick<TarForm>("pax", "pax", "gnu", "ustar", "v7");

const sparseFile = fc
  .record({
    at: path,
    form: pick<SparseForm>("old", "0.0", "0.1", "1.0"),
    runs: fc.array(fc.tuple(fc.integer({ min: 0, max: 3000 }), fc.integer({ min: 1, max: 600 })), { maxLength: 30 }),
    hole: fc.integer({ min: 0, max: 5000 }),
  })
  .map(({ at, form, runs, hole }) => {
    let end = 0;
    const segments = runs.map(([gap, sizeBytes]) => {
      const segment = { offset: end + gap, sizeBytes };
      end = segment.offset + sizeBytes;
      return segment;
    });
    const stored = segments.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
    return sparseMember(form, at.slice(0, 100), segments, end + hole, Buffer.alloc(stored, "sparse"));
  });

const aclOfDirectory = Buffer.from("0200000001000700ffffffff02000500e803000004000500ffffffff10000500ffffffff20000500ffffffff", "hex");

const entry = fc.oneof(
  {
    weight: 3,
    arbitrary: fc
      .tuple(forms, path, fields, xattrs)
      .map(([form, at, rest, attributes]) => memberIn(form, `${at}/`, { ...rest, xattrs: attributes })),
  },
  {
    weight: 4,
    arbitrary: fc
      .tuple(forms, path, fields, xattrs, pick(0, 1, 511, 512, 513, 4096, 5000))
      .map(([form, at, rest, attributes, size]) => memberIn(form, at, { ...rest, xattrs: attributes }, Buffer.alloc(size, at))),
  },
  {
    weight: 2,
    arbitrary: fc
      .tuple(forms, path, fields, fc.oneof(fc.integer({ min: 1, max: 1100 }), pick(99, 100, 101, 4095)))
      .map(([form, at, rest, length]) => memberIn(form, at, { ...rest, type: "symlink", link: "t".repeat(length) })),
  },
  // Into the tree, so that it is met as a parent of later entries.
  {
    weight: 1,
    arbitrary: fc.tuple(path, pick("a", "/b", "../c", ".")).map(([at, link]) => memberIn("pax", at, { type: "symlink", link })),
  },
  { weight: 3, arbitrary: fc.tuple(forms, path, path).map(([form, at, link]) => memberIn(form, at, { type: "hardlink", link })) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(forms, path, fields, pick("character" as const, "block" as const, "fifo" as const), pick(0, 1, 255, 256, 70_000))
      .map(([form, at, rest, type, minor]) =>
        memberIn(form, at, { ...rest, type, deviceMajor: minor === 0 ? 0 : 300, deviceMinor: minor }),
      ),
  },
  { weight: 2, arbitrary: fc.tuple(path, name).map(([at, hidden]) => memberIn("pax", `${at}/.wh.${hidden.slice(0, 250)}`, {})) },
  { weight: 1, arbitrary: name.map((hidden) => memberIn("gnu", `.wh.${hidden.slice(0, 250)}`, {})) },
  { weight: 1, arbitrary: path.map((at) => memberIn("pax", `${at}/.wh..wh..opq`, {})) },
  { weight: 1, arbitrary: fc.tuple(fields, xattrs).map(([rest, attributes]) => memberIn("pax", "./", { ...rest, xattrs: attributes })) },
  {
    weight: 1,
    arbitrary: path.map((at) =>
      memberIn("pax", `${at}/`, { mode: 0o755, xattrs: new Map([["system.posix_acl_default", aclOfDirectory]]) }),
    ),
  },
);

/** Members of an archive; now and then with a sparse file, which has its layer unpacked. */
const members = fc.oneof(
  { weight: 7, arbitrary: fc.array(entry, { maxLength: 20 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.array(entry, { maxLength: 10 }), sparseFile, fc.array(entry, { maxLength: 5 }))
      .map(([before, sparse, after]) => [...before, sparse, ...after]),
  },
);

export interface RandomLayer {
  readonly members: readonly Buffer[];
}

/** One to three layers of an image, lowest first. A report of what fails lists their entries instead of their bytes. */
export const randomLayers = fc.array(
  members.map((list): RandomLayer => ({ members: list, ...{ [fc.toStringMethod]: () => list.map(describeMember).join("\n") } })),
  { minLength: 1, maxLength: 3 },
);

function describeMember(bytes: Buffer): string {
  return readAll(archive(bytes))
    .map(
      ({ entry: { type, path: at, link, mode, uid, gid, modified, sizeBytes, deviceMajor, deviceMinor, xattrs: attributes, segments } }) =>
        JSON.stringify({
          type,
          at,
          link,
          mode,
          uid,
          gid,
          modified,
          sizeBytes,
          deviceMajor,
          deviceMinor,
          xattrs: [...attributes.keys()],
          segments,
        }),
    )
    .join();
}
