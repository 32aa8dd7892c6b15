import { expect, test } from "bun:test";
import { TarError } from "#lib/tar/error.ts";
import { archive, member, rawMember } from "#lib/tar/fixtures.ts";
import { TarReader } from "#lib/tar/reader.ts";
import { isOpaque, type LayerNode } from "./layer-node.ts";
import { LayerTree, type LowerLookup } from "./layer-tree.ts";

function treeOf(members: readonly Uint8Array[], lookup: LowerLookup = () => undefined): LayerTree {
  const tree = new LayerTree();
  const reader = new TarReader(tree);
  reader.push(archive(...members));
  reader.finish();
  tree.settle(lookup);
  return tree;
}

function at(tree: LayerTree, path: string): LayerNode | undefined {
  return path.split("/").reduce<LayerNode | undefined>((node, name) => node?.children?.get(name), tree.root);
}

const names = (node: LayerNode | undefined): string[] => [...(node?.children?.keys() ?? [])].sort();

test("the last entry of a name wins, whatever kinds they are", () => {
  const tree = treeOf([
    member("x/"),
    member("x/in"),
    member("x", {}, "ab"),
    member("y", {}, "a"),
    member("y/"),
    member("y/z"),
    member("p", {}, "a"),
    member("p", {}, "ab"),
  ]);
  expect(at(tree, "x")).toMatchObject({ sizeBytes: 2, children: undefined });
  expect(names(at(tree, "y"))).toEqual(["z"]);
  expect(at(tree, "p")?.sizeBytes).toBe(2);
});

test("a directory described twice keeps its content and takes the new metadata", () => {
  const tree = treeOf([member("d/"), member("d/f"), member("d/.wh..wh..opq"), member("d/", { mode: 0o700 })]);
  expect(at(tree, "d")?.mode).toBe(0o040700);
  expect(names(at(tree, "d"))).toEqual(["f"]);
  expect(isOpaque(at(tree, "d")!)).toBe(true);
});

test("hard links share a node that outlives its first name", () => {
  const tree = treeOf([member("f", {}, "a"), member("h", { type: "hardlink", link: "f" }), member("f", {}, "abc")]);
  expect([at(tree, "h")?.sizeBytes, at(tree, "f")?.sizeBytes]).toEqual([1, 3]);
});

test("whiteouts become 0:0 devices; a file of the same layer wins, a directory becomes opaque, in any order", () => {
  const tree = treeOf([member(".wh.gone"), member(".wh.file"), member("file"), member("dir/"), member(".wh.dir")]);
  expect(at(tree, "gone")).toMatchObject({ mode: 0o020000, device: 0 });
  expect(at(tree, "file")?.mode).toBe(0o100644);
  expect(isOpaque(at(tree, "dir")!)).toBe(true);
  expect(names(tree.root)).toEqual(["dir", "file", "gone"]);
});

test("AUFS' own files are no content, but hard links to them are", () => {
  const tree = treeOf([
    member(".wh..wh.aufs"),
    member(".wh..wh.plnk/"),
    member(".wh..wh.plnk/1.2", {}, "ab"),
    member("f", { type: "hardlink", link: ".wh..wh.plnk/1.2" }),
  ]);
  expect(names(tree.root)).toEqual(["f"]);
  expect(at(tree, "f")?.sizeBytes).toBe(2);
});

test("links as parents stay inside the root", () => {
  const tree = treeOf([
    member("usr/lib/"),
    member("lib", { type: "symlink", link: "usr/lib" }),
    member("lib/x"),
    member("out", { type: "symlink", link: "../../../elsewhere" }),
    member("out/y"),
    member("abs", { type: "symlink", link: "/usr" }),
    member("abs/z"),
  ]);
  expect(names(at(tree, "usr/lib"))).toEqual(["x"]);
  expect(names(at(tree, "elsewhere"))).toEqual(["y"]);
  expect(names(at(tree, "usr"))).toEqual(["lib", "z"]);
});

test("only directories that no entry describes are asked of the layers below, not the root", () => {
  const asked: string[] = [];
  const tree = treeOf([member("a/"), member("a/b/c/f")], (path) => {
    asked.push(path);
    return path === "a/b" ? { mode: 0o1700, uid: 1, gid: 2, seconds: 3, nanoseconds: 4, xattrs: new Map() } : undefined;
  });
  expect(asked.sort()).toEqual(["a/b", "a/b/c"]);
  expect(at(tree, "a/b")).toMatchObject({ mode: 0o041700, uid: 1, gid: 2, seconds: 3, nanoseconds: 4 });
  expect(at(tree, "a/b/c")).toMatchObject({ mode: 0o040755, uid: 0, seconds: 0 });
  expect(tree.needsLowers()).toBe(true);
  expect(treeOf([member("a/"), member("a/f"), member(".wh.x")]).needsLowers()).toBe(false);
});

test("whiteouts are left out where nothing of the layers below is seen", () => {
  const below = { mode: 0o755, uid: 0, gid: 0, seconds: 0, nanoseconds: 0, xattrs: new Map() };
  const members = [
    member(".wh.r"),
    member("new/"),
    member("new/.wh.f"),
    member("new/null", { type: "character" }),
    member("old/"),
    member("old/.wh.f"),
    member("old/cut/.wh..wh..opq"),
    member("old/cut/d/"),
    member("old/cut/d/.wh.f"),
  ];
  const tree = treeOf(members, (path) => (path.startsWith("old") ? below : undefined));
  expect(names(tree.root)).toEqual(["new", "old", "r"]);
  expect(names(at(tree, "new"))).toEqual([]);
  expect(names(at(tree, "old"))).toEqual(["cut", "f"]);
  expect(names(at(tree, "old/cut/d"))).toEqual([]);
  expect(treeOf([member("a/"), member("a/.wh.x")]).needsLowers()).toBe(true);
});

test("attributes that steer overlayfs, and unknown classes, are dropped", () => {
  const value = Buffer.from("y");
  const xattrs = new Map([
    ["trusted.overlay.opaque", value],
    ["trusted.other", value],
    ["user.k", value],
    ["strange", value],
    ["user.", value],
  ]);
  expect([...(at(treeOf([member("d/", { xattrs })]), "d")?.xattrs?.keys() ?? [])].sort()).toEqual(["trusted.other", "user.k"]);
});

test.each<[string, Uint8Array[]]>([
  ["an empty symlink target", [rawMember("l", { type: "2" })]],
  ["an attribute name of 256 bytes", [member("f", { xattrs: new Map([[`user.${"n".repeat(251)}`, Buffer.of(1)]]) })]],
  ["an attribute larger than 64 KiB", [member("f", { xattrs: new Map([["user.a", Buffer.alloc(65536)]]) })]],
  [
    "a chain of links",
    Array.from({ length: 50 }, (_, index) => member(`l${index}`, { type: "symlink", link: `l${index + 1}` })).concat(member("l0/x")),
  ],
])("%s is refused", (_, members) => {
  expect(() => treeOf(members)).toThrow(TarError);
});
