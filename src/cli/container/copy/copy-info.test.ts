import { expect, test } from "bun:test";
import { planCopy, type CopyInfo } from "./copy-info.ts";
import { absolute, afterLink, assertsDirectory, splitEntry } from "./paths.ts";
import { splitArgument } from "../cp.ts";

const info = (path: string, kind: "file" | "directory" | "missing", rebaseName = ""): CopyInfo => ({
  path,
  exists: kind !== "missing",
  isDirectory: kind === "directory",
  rebaseName,
});

test.each([
  ["web:/etc", { container: "web", path: "/etc" }],
  ["web:", { container: "web", path: "" }],
  ["web:a:b", { container: "web", path: "a:b" }],
  ["/a:b", { container: "", path: "/a:b" }],
  ["./a:b", { container: "", path: "./a:b" }],
  ["-", { container: "", path: "-" }],
])("splitArgument(%s)", (text, expected) => expect(splitArgument(text)).toEqual(expected));

test("the end of a path is kept, for it says something", () => {
  const kept = (path: string): string => absolute(path, "/w");
  expect(["a", "a/", "a/.", ".", "", "/", "../x/", "/a//b/."].map(kept)).toEqual([
    ...["/w/a", "/w/a/", "/w/a/.", "/w/.", "/w/.", "/", "/x/", "/a/b/."],
  ]);
  expect(["a/", "a/.", "", "."].every(assertsDirectory)).toBe(true);
  expect(splitEntry("/a/b/.")).toEqual({ folder: "/a/b", base: "." });
  expect(splitEntry("/a/b/")).toEqual({ folder: "/a", base: "b" });
  expect(afterLink("/d/l/", "/x/y")).toEqual({ path: "/x/y/", rebaseName: "l" });
  expect(afterLink("/d/y", "/x/y")).toEqual({ path: "/x/y", rebaseName: "" });
});

test("a copy goes into a folder that is there, and takes the name of one that is not", () => {
  expect(planCopy(info("/s/f", "file"), info("/t", "directory"))).toEqual({ folder: "/t", renames: [], base: undefined });
  expect(planCopy(info("/s/f", "file"), info("/t/g", "missing"))).toEqual({ folder: "/t", renames: [{ from: "f", to: "g" }], base: "g" });
  expect(planCopy(info("/s", "directory"), info("/t/g/", "missing"))).toEqual({
    folder: "/t",
    renames: [{ from: "s", to: "g" }],
    base: "g",
  });
  expect(planCopy(info("/", "directory"), info("/t/g", "missing")).renames).toEqual([{ from: "", to: "g" }]);
  expect(() => planCopy(info("/s", "directory"), info("/t/f", "file"))).toThrow("cannot copy directory");
  expect(() => planCopy(info("/s/f", "file"), info("/t/", "missing"))).toThrow("no such directory");
});
