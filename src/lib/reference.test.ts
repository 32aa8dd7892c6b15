import { expect, test } from "bun:test";
import { familiarReference, formatReference, parseReference, withDefaultTag, withTag, withTagOrDigest } from "./reference.ts";

test.each([
  ["busybox", "docker.io/library/busybox:latest", "busybox:latest"],
  ["user/app:1.0", "docker.io/user/app:1.0", "user/app:1.0"],
  ["localhost:5000/a/b", "localhost:5000/a/b:latest", "localhost:5000/a/b:latest"],
  ["index.docker.io/library/x", "docker.io/library/x:latest", "x:latest"],
  ["docker.io/library/a/b:t", "docker.io/library/a/b:t", "library/a/b:t"],
  ["[::1]:5000/x", "[::1]:5000/x:latest", "[::1]:5000/x:latest"],
])("%s is stored as %s and shown as %s", (text, full, familiar) => {
  const reference = withDefaultTag(parseReference(text));
  expect(formatReference(reference)).toBe(full);
  expect(familiarReference(reference)).toBe(familiar);
});

test("a digest stands for itself, without a tag", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  expect(formatReference(withDefaultTag(parseReference(`busybox@${digest}`)))).toBe(`docker.io/library/busybox@${digest}`);
});

test.each([
  ["", "invalid reference format"],
  ["Busybox", "invalid reference format: repository name (library/Busybox) must be lowercase"],
  ["busybox:sha256:abc", "invalid reference format"],
  ["a/../b", "invalid reference format"],
  ["busybox@sha256:zz", "invalid reference format"],
  ["-x", "invalid reference format"],
  ["a".repeat(300), "repository name must not be more than 255 characters"],
  ["ab".repeat(32), "cannot specify 64-byte hexadecimal strings"],
])("%s is refused", (text, message) => {
  expect(() => parseReference(text)).toThrow(message);
});

test("another tag takes the place of the first", () => {
  expect(formatReference(withTag(parseReference("busybox:1"), "2"))).toBe("docker.io/library/busybox:2");
  expect(() => withTag(parseReference("busybox"), "no such")).toThrow("invalid tag format");
});

test("a digest may come in the tag's place", () => {
  const digest = `sha256:${"a".repeat(64)}`;
  expect(formatReference(withTagOrDigest(parseReference("busybox:1"), digest))).toBe(`docker.io/library/busybox@${digest}`);
  expect(formatReference(withTagOrDigest(parseReference("busybox:1"), "2"))).toBe("docker.io/library/busybox:2");
});
