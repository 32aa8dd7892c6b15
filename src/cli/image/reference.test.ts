import { expect, test } from "bun:test";
import { checkReference, familiarName, fullName, parseReference } from "./reference.ts";

const digest = `sha256:${"a".repeat(64)}`;

test.each([
  ["busybox", { name: "busybox" }],
  ["busybox:1.36", { name: "busybox", tag: "1.36" }],
  ["library/busybox", { name: "busybox" }],
  ["docker.io/library/busybox", { name: "busybox" }],
  ["docker.io/team/app", { name: "team/app" }],
  ["localhost:5000/app:x", { name: "localhost:5000/app", tag: "x" }],
  ["example.com/a/b_c/d--e", { name: "example.com/a/b_c/d--e" }],
  [`a:b@${digest}`, { name: "a", tag: "b", digest }],
])("%p is %p", (text, expected) => {
  expect(parseReference(text)).toEqual(expected);
});

test.each(["", "Busybox", "a:b:c", "a b", "-a", "a@sha256:12", "a".repeat(64), "a//b"])("%p is no reference", (text) => {
  expect(parseReference(text)).toBeUndefined();
});

test("familiarName() adds the tag that is meant", () => {
  expect([familiarName("busybox"), familiarName("a:b"), familiarName(`a@${digest}`), familiarName("A")]).toEqual([
    "busybox:latest",
    "a:b",
    `a@${digest}`,
    undefined,
  ]);
});

test("checkReference() tells capitals from other faults", () => {
  expect(() => checkReference("BUSYBOX")).toThrow("invalid reference format: repository name (library/BUSYBOX) must be lowercase");
  expect(() => checkReference("busybox:a:b")).toThrow(/^invalid reference format$/);
  expect(() => checkReference(digest)).not.toThrow();
});

test.each([
  ["busybox:1", "docker.io/library/busybox:1"],
  ["team/app", "docker.io/team/app"],
  ["localhost:5000/app:1", "localhost:5000/app:1"],
  ["example.com/app", "example.com/app"],
])("%p is %p in full", (name, full) => {
  expect(fullName(name)).toBe(full);
});
