import { describe, expect, test } from "bun:test";
import { isKind } from "#lib/errors.ts";
import { parseCidr } from "./cidr.ts";
import { AddressManagement, defaultGateway, defaultIpv4Subnets, firstFreeSubnet, subnetFaults, uniqueLocalSubnets } from "./ipam.ts";
import type { Subnet } from "./types.ts";

const subnet = (text: string, options: Partial<Subnet> = {}): Subnet => ({
  family: 4,
  subnet: text,
  gateway: "",
  auxiliary: {},
  ...options,
});
const network = (id: string, ...subnets: Subnet[]) => ({ id, name: `net-${id}`, subnets });

describe("addresses of a network", () => {
  test("are given out from the lowest; network, gateway, auxiliary and broadcast addresses never", () => {
    const ipam = new AddressManagement();
    ipam.register(network("a", subnet("10.1.0.0/29", { gateway: "10.1.0.1", auxiliary: { router: "10.1.0.3" } })));
    const given = [1, 2, 3, 4].map(() => ipam.allocate("a", 4).address);
    expect(given).toEqual(["10.1.0.2", "10.1.0.4", "10.1.0.5", "10.1.0.6"]);
    expect(() => ipam.allocate("a", 4)).toThrow("no available IPv4 addresses on this network's address pools: net-a (a)");
  });

  test("are used again as soon as they are released, the lowest first", () => {
    const ipam = new AddressManagement();
    ipam.register(network("a", subnet("10.1.0.0/24", { gateway: "10.1.0.1" })));
    for (let count = 0; count < 5; count++) ipam.allocate("a", 4);
    ipam.release("a", "10.1.0.5");
    ipam.release("a", "10.1.0.3");
    expect([1, 2, 3].map(() => ipam.allocate("a", 4).address)).toEqual(["10.1.0.3", "10.1.0.5", "10.1.0.7"]);
  });

  test("come from the range where there is one, but may be asked for outside of it", () => {
    const ipam = new AddressManagement();
    ipam.register(network("a", subnet("10.1.0.0/16", { ipRange: "10.1.5.0/30", gateway: "10.1.5.0" })));
    expect([1, 2, 3].map(() => ipam.allocate("a", 4).address)).toEqual(["10.1.5.1", "10.1.5.2", "10.1.5.3"]);
    expect(() => ipam.allocate("a", 4)).toThrow("no available IPv4 addresses");
    expect(ipam.allocate("a", 4, "10.1.200.1")).toEqual({ address: "10.1.200.1", prefixLength: 16 });
  });

  test("that were asked for are refused when taken or in no subnet, with Docker's words", () => {
    const ipam = new AddressManagement();
    ipam.register(network("a", subnet("10.1.0.0/24", { gateway: "10.1.0.1" })));
    expect(() => ipam.allocate("a", 4, "10.1.0.1")).toThrow("Address already in use");
    expect(() => ipam.allocate("a", 4, "10.2.0.1")).toThrow("no configured subnet or ip-range contain the IP address 10.2.0.1");
  });

  test("of IPv6 begin behind the anycast address and have no broadcast", () => {
    const ipam = new AddressManagement();
    ipam.register(network("a", subnet("fd00::/126", { family: 6 })));
    expect([1, 2, 3].map(() => ipam.allocate("a", 6).address)).toEqual(["fd00::1", "fd00::2", "fd00::3"]);
    expect(() => ipam.allocate("a", 6)).toThrow("no available IPv6 addresses");
    expect(ipam.has("a", 4)).toBe(false);
  });

  test("that a record says are in use are never given out", () => {
    const ipam = new AddressManagement();
    ipam.register(network("a", subnet("10.1.0.0/24", { gateway: "10.1.0.1" })));
    expect(ipam.adopt("a", "10.1.0.2")).toBe(true);
    expect(ipam.adopt("a", "10.1.0.2")).toBe(false);
    expect(ipam.allocate("a", 4).address).toBe("10.1.0.3");
  });
});

describe("subnets", () => {
  test("that overlap one of another network are refused, and nothing is registered", () => {
    const ipam = new AddressManagement();
    ipam.register(network("a", subnet("10.1.0.0/16")));
    const overlap = (): void => ipam.register(network("b", subnet("10.2.0.0/16"), subnet("10.1.128.0/17")));
    expect(overlap).toThrow("invalid pool request: Pool overlaps with other one on this address space");
    try {
      overlap();
    } catch (error) {
      expect(isKind(error, "forbidden")).toBe(true);
    }
    ipam.register(network("c", subnet("10.2.0.0/16")));
    ipam.unregister("a");
    ipam.register(network("d", subnet("10.1.0.0/24")));
  });

  test("with an auxiliary address that is the gateway are refused with Docker's words", () => {
    const ipam = new AddressManagement();
    const register = (): void => ipam.register(network("a", subnet("10.1.0.0/24", { gateway: "10.1.0.1", auxiliary: { a: "10.1.0.1" } })));
    expect(register).toThrow("failed to allocate secondary ip address (a:10.1.0.1): Address already in use");
  });

  test("with the network's own address as gateway are refused with Docker's words", () => {
    const register = (): void => new AddressManagement().register(network("a", subnet("10.1.0.0/24", { gateway: "10.1.0.0" })));
    expect(register).toThrow("failed to allocate gateway (10.1.0.0): Address already in use");
  });

  test("of the default pools avoid what is taken and what the host routes", () => {
    const taken = ["172.17.0.0/16", "172.18.3.0/24"].flatMap((text) => parseCidr(text) ?? []);
    expect(firstFreeSubnet(defaultIpv4Subnets(), taken)).toMatchObject({ subnet: "172.19.0.0/16", gateway: "172.19.0.1" });
    const all = parseCidr("172.16.0.0/12");
    expect(firstFreeSubnet(defaultIpv4Subnets(), all ? [all] : []).subnet).toBe("192.168.0.0/20");
    expect(() => firstFreeSubnet(defaultIpv4Subnets(), defaultIpv4Subnets())).toThrow(
      "all predefined address pools have been fully subnetted",
    );
  });

  test("of IPv6 are unique local ones, the same for the same instance", () => {
    const first = firstFreeSubnet(uniqueLocalSubnets("1234"), []);
    expect(first.subnet).toMatch(/^fd[0-9a-f]{2}:[0-9a-f:]+::\/64$/);
    expect(firstFreeSubnet(uniqueLocalSubnets("1234"), [])).toEqual(first);
    const second = firstFreeSubnet(uniqueLocalSubnets("1234"), [parseCidr(first.subnet) ?? { family: 6, base: 0n, prefixLength: 0 }]);
    expect(second.subnet).not.toBe(first.subnet);
  });

  test.each([
    ["10.91.0.0/16", undefined, "10.91.0.1"],
    ["10.91.0.0/16", "10.91.5.0/24", "10.91.5.0"],
    ["fd00::/64", undefined, "fd00::1"],
  ])("%s with range %p has the gateway %s", (text, range, gateway) => {
    expect(defaultGateway(text, range)).toBe(gateway);
  });

  test.each([
    [subnet("10.95.0.1/24"), ["invalid subnet 10.95.0.1/24: it should be 10.95.0.0/24"]],
    [
      subnet("10.95.0.0/24", { ipRange: "10.94.0.0/24" }),
      ["invalid ip-range 10.94.0.0/24: parent subnet 10.95.0.0/24 doesn't contain ip-range"],
    ],
    [
      subnet("10.95.0.0/24", { gateway: "10.94.0.1" }),
      ["invalid gateway 10.94.0.1: parent subnet 10.95.0.0/24 doesn't contain this address"],
    ],
    [
      subnet("10.95.0.0/24", { auxiliary: { a: "10.93.0.1" } }),
      ["invalid auxiliary address a: parent subnet 10.95.0.0/24 doesn't contain this address"],
    ],
    [subnet("10.95.0.0/24", { gateway: "fd00::1" }), ["invalid gateway fd00::1: parent subnet is an IPv4 block"]],
    [subnet("10.95.0.0/33"), ["invalid subnet 10.95.0.0/33: invalid CIDR block notation"]],
    [subnet("10.95.0.0/24", { gateway: "10.95.0.1" }), []],
  ])("as a client gave them are checked with Docker's words: %#", (config, faults) => {
    expect(subnetFaults([config])).toEqual(faults);
  });
});
