import { expect, test } from "bun:test";
import { resolveUser } from "./user.ts";

const passwd = "root:x:0:0:root:/root:/bin/sh\nweb:x:33:44:web:/srv:/bin/false\nbroken line\n::\n";
const group = "root:x:0:\nwww:x:44:\nextra:x:50:web,other\n";
const resolve = (user: string, groups: string[] = []) => resolveUser(user, groups, passwd, group);

test("nothing means root", () => {
  expect(resolve("")).toEqual({ uid: 0, gid: 0, additionalGids: [0], home: "/root" });
});

test("a name brings its group, its memberships and its home", () => {
  expect(resolve("web")).toEqual({ uid: 33, gid: 44, additionalGids: [44, 50], home: "/srv" });
});

test("a named group replaces the memberships", () => {
  expect(resolve("web:extra")).toMatchObject({ uid: 33, gid: 50, additionalGids: [50] });
});

test("numbers need no entry, and --group-add counts for all", () => {
  expect(resolve("1000:1000", ["www", "7"])).toEqual({ uid: 1000, gid: 1000, additionalGids: [1000, 44, 7], home: "/" });
});

test("a container without these files runs as numbers", () => {
  expect(resolveUser("12", [], "", "")).toMatchObject({ uid: 12, gid: 0 });
});

test.each([
  ["nobody", "unable to find user nobody: no matching entries in passwd file"],
  ["web:none", "unable to find group none: no matching entries in group file"],
  ["4294967296", "uids and gids must be in range 0-2147483647"],
])("%s is refused", (user, message) => {
  expect(() => resolve(user)).toThrow(message);
});
