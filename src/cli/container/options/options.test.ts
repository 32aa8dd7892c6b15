import { describe, expect, test } from "bun:test";
import { isCdiDevice, parseDevice } from "./devices.ts";
import { environmentEntry } from "./environment.ts";
import { extraHost } from "./hosts.ts";
import { parseMount } from "./mount.ts";
import { parsePorts } from "./ports.ts";
import { absolute, parseVolumes } from "./volumes.ts";

// That whole requests equal those of Docker's client is tested in test/e2e/create-request.test.ts; here are the parts that it does not reach.

describe("parsePorts()", () => {
  test("a range of the host's ports may serve one port of the container", () => {
    expect(parsePorts(["7000-7005:99"], []).bindings).toEqual({ "99/tcp": [{ HostIp: "", HostPort: "7000-7005" }] });
  });

  test("IPv6 addresses stand in brackets", () => {
    expect(parsePorts(["[::1]::80/udp"], []).bindings).toEqual({ "80/udp": [{ HostIp: "::1", HostPort: "" }] });
  });

  test.each([
    ["abc", "invalid containerPort: abc"],
    ["99999", "invalid containerPort: 99999"],
    ["x:80", "invalid hostPort: x"],
    ["80-90:70-71", "invalid ranges specified for container and host Ports: 70-71 and 80-90"],
    ["80/foo", "invalid proto: foo"],
    ["1.2.3:80:80", "invalid IP address: 1.2.3"],
    ["", "no port specified: <empty>"],
    ["published=80,target", "invalid publish opts format (should be name=value but got 'target')"],
  ])("-p %p is refused: %s", (value, message) => {
    expect(() => parsePorts([value], [])).toThrow(message);
  });
});

describe("parseVolumes()", () => {
  test("names, paths and relative paths become binds, a lone path an anonymous volume", () => {
    expect(parseVolumes(["name:/a", "/b:/b:ro", "./c:/c", "..:/d", "/e"], "/work/dir")).toEqual({
      binds: ["name:/a", "/b:/b:ro", "/work/dir/c:/c", "/work:/d"],
      anonymous: { "/e": {} },
    });
  });

  test.each([
    ["", "invalid empty volume spec"],
    ["/a::/b", "empty section between colons"],
    ["/a:/b:ro:x", "too many colons"],
    ["/a:/b:", "empty section between colons"],
  ])("-v %p is refused: %s", (value, message) => {
    expect(() => parseVolumes([value], "/")).toThrow(message);
  });

  test("absolute() resolves dots and stays below the root", () => {
    expect([absolute("../../../x", "/a"), absolute("./b/./c/..", "/a"), absolute("/x//y/", "/a")]).toEqual(["/x", "/a/b", "/x/y"]);
  });
});

test.each([
  ["type=bind", "target is required"],
  ["foo", "invalid field 'foo' must be a key=value pair"],
  ["foo=bar", "unexpected key 'foo' in 'foo=bar'"],
  ["type=bind,src=/x,dst=/y,volume-nocopy", "cannot mix 'volume-*' options with mount type 'bind'"],
  ["type=tmpfs,dst=/y,tmpfs-mode=9", "invalid value for tmpfs-mode: 9"],
  ["type=bind,src=/x,dst=/y,ro=maybe", "invalid value for ro: maybe"],
  ["type=bind,src=/x,dst=/y,bind-recursive=readonly", "option 'bind-recursive=readonly' requires 'readonly'"],
])("--mount %p is refused: %s", (value, message) => {
  expect(() => parseMount(value, "/")).toThrow(message);
});

test("parseDevice() reads paths and permissions, and leaves CDI names alone", () => {
  expect(parseDevice("/dev/a:/dev/b:r")).toEqual({ PathOnHost: "/dev/a", PathInContainer: "/dev/b", CgroupPermissions: "r" });
  expect(parseDevice("/dev/a:rw")).toEqual({ PathOnHost: "/dev/a", PathInContainer: "/dev/a", CgroupPermissions: "rw" });
  expect(() => parseDevice("/dev/a:/dev/b:q")).toThrow("bad mode specified: q");
  expect(() => parseDevice("dev")).toThrow("dev is not an absolute path");
  expect([isCdiDevice("vendor.com/class=gpu0"), isCdiDevice("/dev/null")]).toEqual([true, false]);
});

test("environmentEntry() takes a value from our own environment only for a bare name that is set there", () => {
  const environment = { SET: "1", EMPTY: "" };
  expect(["SET", "EMPTY", "UNSET", "A=", "SET=2"].map((value) => environmentEntry(value, environment))).toEqual([
    "SET=1",
    "EMPTY=",
    "UNSET",
    "A=",
    "SET=2",
  ]);
  expect(() => environmentEntry("=x", environment)).toThrow("invalid environment variable: =x");
});

test.each([
  ["a:1.2.3.4", "a:1.2.3.4"],
  ["a=::1", "a:::1"],
  ["a:[::1]", "a:::1"],
  ["a:host-gateway", "a:host-gateway"],
])("--add-host %p is %p", (value, expected) => {
  expect(extraHost(value)).toBe(expected);
});
