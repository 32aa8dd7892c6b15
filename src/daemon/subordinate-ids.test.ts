import { expect, test } from "bun:test";
import { freeRange, readIdMap, type HostUsers } from "./subordinate-ids.ts";

const files: Record<string, string> = {
  "/etc/passwd": "root:x:0:0::/root:/bin/sh\nann:x:1000:1000::/home/ann:/bin/sh\nbob:x:1001:1001::/:/bin/sh\ncem:x:1002:1002::/:/bin/sh\n",
  "/etc/group": "root:x:0:\nann:x:1000:\nbob:x:1001:\ncem:x:1002:\nstaff:x:50:\n",
  "/etc/subuid": "ann:100000:65536\n# bob has none\n1002:300000:1000\ncem2:5:5\n",
  "/etc/subgid": "ann:200000:10\nann:400000:65526\n1002:300000:1000\n",
};

function hostWith(changed: Record<string, string> = {}): HostUsers & { readonly added: string[] } {
  const added: string[] = [];
  return { added, readFile: (path) => ({ ...files, ...changed })[path] ?? "", addUser: async (name) => void added.push(name) };
}

const ann = {
  uids: [{ containerId: 0, hostId: 100_000, size: 65_536 }],
  gids: [
    { containerId: 0, hostId: 200_000, size: 10 },
    { containerId: 10, hostId: 400_000, size: 65_526 },
  ],
};

test.each(["ann", "1000", "ann:staff", "1000:50", "ann:50"])("SEC-03: --userns-remap=%s has the ranges of the user", async (option) => {
  expect(await readIdMap(option, hostWith())).toEqual(ann);
});

test("SEC-03: ranges may be given to the user's number", async () => {
  expect((await readIdMap("cem", hostWith()))?.uids).toEqual([{ containerId: 0, hostId: 300_000, size: 1000 }]);
});

test("root is not mapped to itself", async () => {
  expect(await readIdMap("root", hostWith())).toBeUndefined();
});

test.each([
  ["a:b:c", 'invalid user/group specification in --userns-remap: "a:b:c"'],
  ["", 'invalid user/group specification in --userns-remap: ""'],
  ["eve", "--userns-remap: user eve is not in /etc/passwd"],
  ["77", "--userns-remap: uid 77 has no entry in /etc/passwd"],
  ["ann:nobody", "--userns-remap: group nobody is not in /etc/group"],
  ["ann:77", "--userns-remap: gid 77 has no entry in /etc/group"],
  ["bob", '--userns-remap: /etc/subuid has no ids for user "bob"'],
])("--userns-remap=%p is refused: %s", async (option, message) => {
  await expect(readIdMap(option, hostWith())).rejects.toThrow(message);
});

test("a range that begins with the host's root is refused", async () => {
  await expect(readIdMap("ann", hostWith({ "/etc/subuid": "ann:0:65536\n" }))).rejects.toThrow("begin with the host's root");
});

test("default makes the user dockremap where it is missing, and only there", async () => {
  const without = hostWith();
  await expect(readIdMap("default", without)).rejects.toThrow("user dockremap is not in /etc/passwd");
  expect(without.added).toEqual(["dockremap"]);
  const present = hostWith({
    "/etc/passwd": "dockremap:x:5:5::/:/bin/false\n",
    "/etc/group": "dockremap:x:5:\n",
    "/etc/subuid": "dockremap:100000:65536\n",
    "/etc/subgid": "dockremap:100000:65536\n",
  });
  expect((await readIdMap("default", present))?.uids).toEqual(ann.uids);
  expect(present.added).toEqual([]);
});

test.each([
  ["", 100_000, 165_535],
  ["ann:100000:65536\nbob:165536:65536\n", 231_072, 296_607],
  ["ann:1000:10\n", 100_000, 165_535],
])("new ids come behind all that are given: %p", (text, first, last) => {
  expect(freeRange(text)).toEqual({ first, last });
});
