import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { addAddress, parseAddress } from "./address.ts";
import { addressBytes, addressText, familyOf } from "./ip-address.ts";
import { changeLink, createBridge, parseLink } from "./link.ts";
import {
  attribute,
  decodeAttributes,
  decodeMessages,
  encodeMessage,
  nested,
  uint32,
  zeroTerminated,
  type NetlinkRequest,
} from "./message.ts";
import { parseRoute, replaceRoute } from "./route.ts";

/** What the kernel would read of a request. */
function sent(request: NetlinkRequest) {
  const [message] = decodeMessages(encodeMessage(request, 7));
  if (!message) throw new Error("no message");
  return message;
}

describe("a netlink message", () => {
  test("is a header of 16 bytes and attributes aligned to four", () => {
    const bytes = encodeMessage(
      { what: "", type: 16, flags: 5, parts: [Buffer.alloc(16), attribute(3, zeroTerminated("br0")), attribute(4, uint32(1500))] },
      9,
    );
    expect(bytes.toString("hex")).toBe(`30000000100005000900000000000000${"00".repeat(16)}080003006272300008000400dc050000`);
  });

  test("comes back as it was sent, nested attributes too", () => {
    const inner = nested(18, attribute(1, zeroTerminated("veth")), attribute(2, Buffer.from("abc")));
    const attributes = decodeAttributes(sent({ what: "", type: 1, flags: 0, parts: [inner] }).payload);
    expect(
      decodeAttributes(attributes.get(18) ?? Buffer.alloc(0))
        .get(2)
        ?.toString(),
    ).toBe("abc");
  });

  test("that is torn is left out, and any bytes end", () => {
    const whole = encodeMessage({ what: "", type: 1, flags: 0, parts: [uint32(1)] }, 1);
    expect(decodeMessages(Buffer.concat([whole, whole.subarray(0, 18)]))).toHaveLength(1);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        for (const message of decodeMessages(Buffer.from(bytes))) decodeAttributes(message.payload);
        decodeAttributes(Buffer.from(bytes));
      }),
    );
  });
});

describe("requests of rtnetlink", () => {
  test("a bridge carries name, MAC, size of packets and kind", () => {
    expect(parseLink(sent(createBridge({ name: "gantry0", mac: "02:00:00:00:00:ff", mtu: 1400 })))).toMatchObject({
      name: "gantry0",
      mac: "02:00:00:00:00:ff",
      mtu: 1400,
      kind: "bridge",
      up: false,
    });
  });

  test("a change without a state leaves the link's state alone", () => {
    expect(sent(changeLink(3, { mtu: 9000 })).payload.readUInt32LE(12)).toBe(0);
    expect(sent(changeLink(3, { up: false })).payload.readUInt32LE(12)).toBe(1);
  });

  test("a MAC address that is none is refused before the kernel sees it", () => {
    expect(() => changeLink(3, { mac: "02:00:00:00:00" })).toThrow("invalid MAC address");
  });

  test.each([
    { index: 2, address: "10.1.0.2", prefixLength: 16 },
    { index: 2, address: "fd00::2", prefixLength: 64 },
  ])("address $address comes back", (address) => {
    expect(parseAddress(sent(addAddress(address)))).toEqual({ ...address, family: address.address.includes(":") ? 6 : 4 });
  });

  test("an IPv4 address has its broadcast address", () => {
    const attributes = decodeAttributes(sent(addAddress({ index: 2, address: "10.1.2.3", prefixLength: 20 })).payload.subarray(8));
    expect(addressText(attributes.get(4) ?? Buffer.alloc(4))).toBe("10.1.15.255");
  });

  test("routes come back, the default route without a destination", () => {
    for (const route of [
      { family: 4, prefixLength: 0, gateway: "10.1.0.1" },
      { family: 6, prefixLength: 64, destination: "fd00::", index: 3 },
    ] as const)
      expect(parseRoute(sent(replaceRoute(route)))).toEqual(route);
  });
});

describe("IP addresses", () => {
  test.each([
    ["10.0.0.1", 4],
    ["fd00::1", 6],
    ["::ffff:10.0.0.1", 6],
    ["fe80::1%eth0", undefined],
    ["010.0.0.1", undefined],
    ["1.2.3", undefined],
    ["", undefined],
  ])("%p is of family %p", (text, family) => {
    expect(familyOf(text)).toBe(family as 4 | 6 | undefined);
  });

  test("are written in their shortest form", () => {
    expect(addressText(addressBytes("FD00:0:0:0:0:0:0:1"))).toBe("fd00::1");
    expect(addressText(addressBytes("192.0.2.1"))).toBe("192.0.2.1");
    expect(() => addressBytes("example.org")).toThrow("invalid IP address");
  });
});
