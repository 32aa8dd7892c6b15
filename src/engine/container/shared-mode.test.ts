import { expect, test } from "bun:test";
import type { ContainerConfig, HostConfig } from "#types/engine-api/index.ts";
import { refuseNetworkConflicts, sharedOwner, withOwnerId } from "./shared-mode.ts";

test("only container: names an owner", () => {
  expect([sharedOwner("container:web"), sharedOwner("container:"), sharedOwner("bridge"), sharedOwner("")]).toEqual([
    "web",
    "",
    undefined,
    undefined,
  ]);
});

test("an owner is kept by its id, and by its name while it is not there", () => {
  const idOf = (name: string): string | undefined => (name === "web" ? "1234" : undefined);
  expect(["container:web", "container:later", "host"].map((mode) => withOwnerId(mode, idOf))).toEqual([
    "container:1234",
    "container:later",
    "host",
  ]);
});

test.each<[ContainerConfig, HostConfig, string]>([
  [{ Hostname: "x" }, {}, "hostname and the network mode"],
  [{}, { Links: ["a:b"] }, "container type network can't be used with links"],
  [{}, { Dns: ["1.1.1.1"] }, "dns and the network mode"],
  [{}, { ExtraHosts: ["a:1.1.1.1"] }, "custom host-to-IP mapping and the network mode"],
  [{}, { PortBindings: { "80/tcp": [{}] } }, "port publishing and the container type network mode"],
  [{}, { PublishAllPorts: true }, "port publishing and the container type network mode"],
  [{ ExposedPorts: { "80/tcp": {} } }, {}, "port exposing and the container type network mode"],
  [{}, { NetworkMode: "container:" }, "invalid container format container:<name|id>"],
  [{ Hostname: "x" }, { NetworkMode: "bridge", UTSMode: "host" }, "hostname and the UTS mode"],
])("%p with %p is refused beside another's network", (config, host, message) => {
  expect(() => refuseNetworkConflicts(config, { NetworkMode: "container:web", ...host })).toThrow(message);
});

test("with a network of its own all of it is fine", () => {
  const host: HostConfig = { NetworkMode: "bridge", Dns: ["1.1.1.1"], ExtraHosts: ["a:1.1.1.1"], PublishAllPorts: true };
  expect(() => refuseNetworkConflicts({ Hostname: "x", ExposedPorts: { "80/tcp": {} } }, host)).not.toThrow();
});
