import { describe, expect, test } from "bun:test";
import { decode, encode, type Question } from "dns-packet";
import fc from "fast-check";
import { isAnswerTo, resolve, serverFailure } from "./dns-answer.ts";
import { NameTable } from "./name-table.ts";
import type { EndpointState } from "./types.ts";

const endpoint = (id: string, networkId: string, ipv4: string, dnsNames: string[], ipv6?: string): EndpointState => ({
  endpointId: id,
  networkId,
  ipv4,
  mac: "02:00:00:00:00:01",
  hostLink: "",
  interfaceName: "eth0",
  dnsNames,
  gatewayPriority: 0,
  ...(ipv6 !== undefined && { ipv6 }),
});

const table = new NameTable();
table.add("front", endpoint("1", "n1", "10.1.0.2", ["web", "www", "0123456789ab"], "fd00::2"));
table.add("front", endpoint("2", "n1", "10.1.0.3", ["constructor", "www"]));
table.add("back", endpoint("3", "n2", "10.2.0.2", ["db"]));
const names = table.lookup(() => [{ networkId: "n1" }]);

const query = (name: string, type: Question["type"] = "A", udpPayloadSize?: number): Buffer =>
  encode({
    type: "query",
    id: 4711,
    flags: 0x100,
    questions: [{ name, type }],
    ...(udpPayloadSize && {
      additionals: [{ type: "OPT", name: ".", udpPayloadSize, flags: 0, flag_do: false, ednsVersion: 0, extendedRcode: 0, options: [] }],
    }),
  });

function answersTo(message: Buffer): string[] | string {
  const resolution = resolve(message, names, "udp");
  if (resolution.type !== "answer") return resolution.type;
  return (decode(resolution.message).answers ?? [])
    .map((answer) => ("data" in answer && typeof answer.data === "string" ? answer.data : ""))
    .sort();
}

describe("the embedded DNS server", () => {
  test.each([
    ["web", "A", ["10.1.0.2"]],
    ["WEB", "A", ["10.1.0.2"]],
    ["web", "AAAA", ["fd00::2"]],
    ["constructor", "A", ["10.1.0.3"]],
    ["constructor", "AAAA", []],
    ["www", "A", ["10.1.0.2", "10.1.0.3"]],
    ["0123456789ab", "A", ["10.1.0.2"]],
    ["web.front", "A", ["10.1.0.2"]],
    ["web", "MX", []],
    ["2.0.1.10.in-addr.arpa", "PTR", ["web.front"]],
    ["2.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.d.f.ip6.arpa", "PTR", ["web.front"]],
    ["db", "A", "forward"],
    ["web.back", "A", "forward"],
    ["toString", "A", "forward"],
    ["example.org", "A", "forward"],
    ["2.0.2.10.in-addr.arpa", "PTR", "forward"],
  ] as const)("answers %s %s", (name, type, expected) => {
    expect(answersTo(query(name, type))).toEqual(expected as string[] | string);
  });

  test("keeps id and question, and offers recursion", () => {
    const resolution = resolve(query("web"), names, "udp");
    const answer = resolution.type === "answer" ? decode(resolution.message) : undefined;
    expect(answer).toMatchObject({
      id: 4711,
      type: "response",
      rcode: "NOERROR",
      flag_rd: true,
      flag_ra: true,
      questions: [{ name: "web", type: "A" }],
    });
  });

  test("cuts what does not fit into a packet, as large as the client takes, and gives all over TCP", () => {
    const many = new NameTable();
    for (let index = 0; index < 100; index++) many.add("n", endpoint(String(index), "n1", `10.1.1.${index}`, ["crowd"]));
    const lookup = many.lookup(() => [{ networkId: "n1" }]);
    const sizeOf = (message: Buffer, transport: "udp" | "tcp") => {
      const resolution = resolve(message, lookup, transport);
      const answer = resolution.type === "answer" ? decode(resolution.message) : undefined;
      return [answer?.answers?.length, answer?.flag_tc];
    };
    expect(sizeOf(query("crowd"), "udp")).toEqual([0, true]);
    expect(sizeOf(query("crowd", "A", 4096), "udp")).toEqual([100, false]);
    expect(sizeOf(query("crowd"), "tcp")).toEqual([100, false]);
  });

  test("forgets a name with its last endpoint", () => {
    const names = new NameTable();
    const first = endpoint("1", "n1", "10.1.0.2", ["web"]);
    names.add("front", first);
    names.remove(first);
    expect(names.lookup(() => [{ networkId: "n1" }]).addresses("web", 4)).toBeUndefined();
    expect(names.lookup(() => [{ networkId: "n1" }]).nameOf("10.1.0.2")).toBeUndefined();
  });

  test("survives any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(["answer", "forward", "ignore"]).toContain(resolve(Buffer.from(bytes), names, "udp").type);
      }),
    );
  });

  test("survives any change to a good query, and refuses it in a well-formed way", () => {
    const good = query("web", "A", 1232);
    fc.assert(
      fc.property(fc.nat(good.length - 1), fc.nat(255), (place, value) => {
        const bytes = Buffer.from(good);
        bytes[place] = value;
        if (resolve(bytes, names, "udp").type === "forward")
          expect(decode(serverFailure(bytes))).toMatchObject({ type: "response", rcode: "SERVFAIL" });
      }),
    );
  });
});

describe("an upstream answer", () => {
  const question = query("example.org");
  const answer = encode({ type: "response", id: 4711, questions: [{ name: "Example.org", type: "A" }], answers: [] });

  test("counts when id and question are those of the query", () => {
    expect(isAnswerTo(question, answer)).toBe(true);
  });

  test.each([
    ["another id", encode({ type: "response", id: 4712, questions: [{ name: "example.org", type: "A" }] })],
    ["another name", encode({ type: "response", id: 4711, questions: [{ name: "example.com", type: "A" }] })],
    ["another type", encode({ type: "response", id: 4711, questions: [{ name: "example.org", type: "AAAA" }] })],
    ["a query", question],
    ["too few bytes", answer.subarray(0, 5)],
  ])("does not count with %s", (_, message) => {
    expect(isAnswerTo(question, message)).toBe(false);
  });
});

test("a link is a name that its container alone has for another", () => {
  const linked = table.lookup(() => [{ networkId: "n1", links: { DB: "web" } }]);
  expect(linked.addresses("db", 4)).toEqual(names.addresses("web", 4));
  expect(names.addresses("db", 4)).toBeUndefined();
});
