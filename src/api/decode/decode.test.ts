import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { EngineError } from "#lib/errors.ts";
import { exactInteger, stringifyExact } from "#lib/exact-integers.ts";
import { decodeJson, emptyValue } from "./decode.ts";
import { type Inputs, inputs } from "./generated/schema.ts";
import { shapeOf } from "./shape.ts";

const names = Object.keys(inputs) as (keyof Inputs)[];
const create = (text: string) => decodeJson("ContainerCreate", text);

test("every type of the schema is defined", () => {
  for (const name of names) expect(shapeOf(inputs[name]).go).not.toBe("");
});

describe("decodeJson()", () => {
  test.each([
    ["an exact name", '{"Image":"busybox"}', { Image: "busybox" }],
    ["a name in another case", '{"iMAGE":"a","hostconfig":{"cpuſhares":3}}', { Image: "a", HostConfig: { CpuShares: 3 } }],
    ["the last of several", '{"Image":"a","image":"b","Image":"c"}', { Image: "c" }],
    ["no unknown field", '{"Imag":"a","x":{"y":[1,{"z":null}]}}', {}],
    ["null as absent", '{"Image":null,"Labels":null,"HostConfig":null,"Cmd":null}', {}],
    [
      "null after a value: a string stays, a list and a pointer go",
      '{"Image":"a","Image":null,"Env":["a"],"Env":null,"StopTimeout":1,"StopTimeout":null}',
      { Image: "a" },
    ],
    ["null alone", "null", {}],
    ["objects of one name merged", '{"HostConfig":{"Memory":1},"HostConfig":{"CpuShares":2}}', { HostConfig: { Memory: 1, CpuShares: 2 } }],
    ["lists of one name replaced", '{"Env":["a","b"],"Env":["c"]}', { Env: ["c"] }],
    [
      "a command as a string",
      '{"Cmd":"true","Entrypoint":"","Shell":["/bin/sh","-c"]}',
      { Cmd: ["true"], Entrypoint: [""], Shell: ["/bin/sh", "-c"] },
    ],
    ["null in a list as the zero value", '{"Env":["a",null],"Cmd":["a",null]}', { Env: ["a", ""], Cmd: ["a", ""] }],
    ["null in a map", '{"Labels":{"a":null},"Volumes":{"/x":null}}', { Labels: { a: "" }, Volumes: { "/x": {} } }],
    [
      "null for the bindings of a port",
      '{"HostConfig":{"PortBindings":{"80/tcp":null}}}',
      { HostConfig: { PortBindings: { "80/tcp": null } } },
    ],
    ["a fixed list filled up and cut off", '{"HostConfig":{"ConsoleSize":[1]}}', { HostConfig: { ConsoleSize: [1, 0] } }],
    ["a fixed list cut off", '{"HostConfig":{"ConsoleSize":[1,2,3,"x"]}}', { HostConfig: { ConsoleSize: [1, 2] } }],
    ["escapes", '{"Image":"\\u00e9\\n\\ud83d\\ude00\\/"}', { Image: "é\n😀/" }],
    ["half a surrogate pair", '{"Image":"a\\ud800b"}', { Image: "a\ufffdb" }],
    ["white space", ' \n{ "Image" :\t"a" , "Env" : [ ] , "Labels" : { } } \r\n', { Image: "a", Env: [], Labels: {} }],
    ["negative zero", '{"StopTimeout":-0}', { StopTimeout: 0 }],
  ])("takes %s", (_what, text, expected) => {
    expect(JSON.parse(JSON.stringify(create(text)))).toEqual(expected);
  });

  test("keeps `__proto__` and `constructor` as names", () => {
    const { Labels: labels } = create('{"Labels":{"__proto__":"a","constructor":"b"},"__proto__":{"Image":"c"},"constructor":1}');
    expect(Object.keys(labels ?? {})).toEqual(["__proto__", "constructor"]);
    expect(JSON.stringify(labels)).toBe('{"__proto__":"a","constructor":"b"}');
    expect(create('{"__proto__":{"Image":"c"}}').Image).toBeUndefined();
  });

  test("replaces bytes that are no UTF-8", () => {
    const bytes = Buffer.concat([Buffer.from('{"Image":"a'), Buffer.from([0xff]), Buffer.from('b"}')]);
    expect(decodeJson("ContainerCreate", bytes).Image).toBe("a\ufffdb");
  });

  test("keeps all digits of 64 bits", () => {
    const text =
      '{"HostConfig":{"Memory":9007199254740993,"NanoCpus":5,"Ulimits":[{"Name":"a","Soft":-9223372036854775808,"Hard":9223372036854775807}]}}';
    const { HostConfig: host } = create(text);
    expect(host?.Memory).toBe(2 ** 53);
    expect(exactInteger(host ?? {}, "Memory")).toBe(9007199254740993n);
    expect(exactInteger(host?.Ulimits?.[0] ?? {}, "Hard")).toBe(2n ** 63n - 1n);
    expect(stringifyExact(create(text))).toBe(text);
  });

  test("keeps base64 as text, without line breaks", () => {
    expect(decodeJson("SecretCreate", '{"Data":"YW\\nJj"}').Data).toBe("YWJj");
  });

  test("gives a client a bounded part of its input back", () => {
    const text = JSON.stringify({ Labels: { ["k".repeat(1_000_000)]: 1 } });
    expect(messageOf("ContainerCreate", text).length).toBeLessThan(5000);
  });

  test("fails with nothing but an EngineError, whatever the JSON", () => {
    const key = fc.constantFrom(
      "Image",
      "Env",
      "Cmd",
      "HostConfig",
      "Labels",
      "Memory",
      "Mounts",
      "Ulimits",
      "Name",
      "Spec",
      "__proto__",
      "IPAM",
    );
    const { tree } = fc.letrec((tie) => ({
      leaf: fc.oneof(fc.string(), fc.integer(), fc.double({ noNaN: true, noDefaultInfinity: true }), fc.boolean(), fc.constant(null)),
      tree: fc.oneof(
        { depthSize: "small" },
        tie("leaf"),
        fc.array(tie("tree"), { maxLength: 3 }),
        fc.dictionary(key, tie("tree"), { maxKeys: 4 }),
      ),
    }));
    fc.assert(
      fc.property(fc.constantFrom(...names), tree, (name, value) => {
        try {
          decodeJson(name, JSON.stringify(value));
        } catch (error) {
          expect(error).toBeInstanceOf(EngineError);
        }
      }),
      { numRuns: 3000 },
    );
  });

  test("gives back what fits the shape", () => {
    const texts = fc.dictionary(fc.string(), fc.string(), { noNullPrototype: true });
    const request = fc.record(
      {
        Image: fc.string({ unit: "grapheme" }),
        Env: fc.array(fc.string()),
        Cmd: fc.array(fc.string()),
        Tty: fc.boolean(),
        StopTimeout: fc.integer(),
        Labels: texts,
        ExposedPorts: fc.dictionary(fc.string(), fc.constant({})),
        Healthcheck: fc.record({ Test: fc.array(fc.string()), Interval: fc.maxSafeInteger(), Retries: fc.integer() }, { requiredKeys: [] }),
        HostConfig: fc.record(
          {
            Memory: fc.maxSafeInteger(),
            BlkioWeight: fc.integer({ min: 0, max: 65535 }),
            OomKillDisable: fc.boolean(),
            PortBindings: fc.dictionary(fc.string(), fc.array(fc.record({ HostIp: fc.string(), HostPort: fc.string() }))),
            Tmpfs: texts,
            Mounts: fc.array(
              fc.record({
                Target: fc.string(),
                TmpfsOptions: fc.record({ SizeBytes: fc.maxSafeNat(), Options: fc.array(fc.array(fc.string())) }),
              }),
            ),
          },
          { requiredKeys: [] },
        ),
        NetworkingConfig: fc.record({
          EndpointsConfig: fc.dictionary(fc.string(), fc.record({ Aliases: fc.array(fc.string()), DriverOpts: texts })),
        }),
      },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(request, (value) => {
        // Compared as trees of plain objects; half surrogate pairs come as JSON.stringify escapes them.
        expect(plain(create(JSON.stringify(value)))).toEqual(plain(JSON.parse(JSON.stringify(value))));
      }),
    );
  });
});

const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test("emptyValue() is an empty object or list", () => {
  expect(Object.keys(emptyValue("ContainerCreate"))).toEqual([]);
  expect(emptyValue("PluginSet")).toEqual([]);
});

function messageOf(name: keyof Inputs, text: string): string {
  try {
    decodeJson(name, text);
  } catch (error) {
    if (error instanceof EngineError && error.kind === "invalid") return error.message;
    throw error;
  }
  return "";
}
