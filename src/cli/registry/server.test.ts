import { expect, test } from "bun:test";
import { hostOf, hubServer, keysFor, serverKey } from "./server.ts";

test.each([
  ["", hubServer],
  ["docker.io", hubServer],
  ["https://index.docker.io/v1/", hubServer],
  ["registry.example", "registry.example"],
  ["https://registry.example:5000", "registry.example:5000"],
  ["http://registry.example/v2/", "registry.example"],
  ["registry.example/team", "registry.example/team"],
  ["https://registry.example/team/", "registry.example/team"],
])("credentials of %p are kept under %p", (server, key) => {
  expect(serverKey(server)).toBe(key);
});

test("the best match comes first, the host last (several log-ins of one host)", () => {
  expect(keysFor("registry.example:5000/team/app")).toEqual([
    "registry.example:5000/team/app",
    "registry.example:5000/team",
    "registry.example:5000",
  ]);
  expect(keysFor("busybox")).toEqual(["docker.io/busybox", hubServer]);
  expect(keysFor("docker.io/me/app")).toEqual(["docker.io/me/app", "docker.io/me", hubServer]);
  expect(hostOf("registry.example/team")).toBe("registry.example");
  expect(hostOf(hubServer)).toBe(hubServer);
});
