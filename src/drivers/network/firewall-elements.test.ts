import { expect, test } from "bun:test";
import { linkedElement, networkElements, portElements } from "./firewall-elements.ts";
import type { PortLease } from "./ports.ts";
import type { NetworkConfig } from "./types.ts";

const network: NetworkConfig = {
  id: "n",
  name: "n",
  driver: "bridge",
  bridge: "br0",
  subnets: [{ family: 4, subnet: "10.1.0.0/16", gateway: "10.1.0.1", auxiliary: {} }],
  internal: false,
  interContainer: true,
  masquerade: true,
  hostBinding: "",
  mtu: 1500,
  nameResolution: true,
};
const lease = (hostIp: string, options: Partial<PortLease> = {}): PortLease => ({
  published: { protocol: "tcp", containerPort: 80, hostIp, hostPort: 8080 },
  targetAddress: "10.1.0.2",
  redirected: true,
  forwarded: false,
  ...options,
});
const setsOf = (config: NetworkConfig): string[] => networkElements(config).map((element) => element.set);

test("a network is in the sets that its options ask for", () => {
  expect(setsOf(network)).toEqual(["bridges", "inside", "subnets4", "masquerade4"]);
  expect(setsOf({ ...network, internal: true })).toEqual(["bridges", "internal", "inside", "subnets4"]);
  expect(setsOf({ ...network, interContainer: false, masquerade: false })).toEqual(["bridges", "subnets4"]);
});

test("what a link admits is told from where, to where and to which port", () => {
  const { set, text, encoded } = linkedElement({ source: "10.1.0.2", target: "10.1.0.3", protocol: "udp", port: 53 });
  expect({ set, text }).toEqual({ set: "linked", text: "10.1.0.2 . 10.1.0.3 . udp . 53" });
  expect(encoded.map(({ key }) => key.toString("hex"))).toEqual(["0a0100020a0100031100000000350000"]);
});

test("a subnet is an interval whose end lies behind its last address, and the last of all has no end", () => {
  const keysOf = (subnet: string): string[] | undefined =>
    networkElements({ ...network, subnets: [{ family: 4, subnet, gateway: "", auxiliary: {} }] })
      .find((element) => element.set === "subnets4")
      ?.encoded.map((element) => element.key.join("."));
  expect(keysOf("10.1.0.0/16")).toEqual(["10.1.0.0", "10.2.0.0"]);
  expect(keysOf("255.255.0.0/16")).toEqual(["255.255.0.0"]);
});

test("a port on all addresses is found by its number, one on a single address by both", () => {
  const [everywhere] = portElements(lease("0.0.0.0"));
  expect(everywhere).toMatchObject({ set: "published4", text: "tcp . 8080 : 10.1.0.2 . 80" });
  expect(everywhere?.encoded[0]?.key.toString("hex")).toBe("060000001f900000");
  expect(everywhere?.encoded[0]?.value?.toString("hex")).toBe("0a01000200500000");
  expect(portElements(lease("127.0.0.1"))[0]).toMatchObject({
    set: "published_on_address4",
    text: "127.0.0.1 . tcp . 8080 : 10.1.0.2 . 80",
  });
});

test("a port that only the daemon forwards has no element", () => {
  expect(portElements(lease("::1", { redirected: false, forwarded: true }))).toEqual([]);
});
