import { describe, expect, test } from "bun:test";
import { Template } from "../format/template.ts";
import { goStruct } from "./go-types.ts";
import { indentJson } from "./json-text.ts";

test("indentJson() keeps the digits of numbers, the order of keys and empty brackets", () => {
  const text = '[{"b":12345678901234567890,"2":"a: {,}\\"","1":[],"e":{ },"l":[1,{"x":null}]}]';
  expect(indentJson(text, "    ")).toMatchInlineSnapshot(`
    "[
        {
            "b": 12345678901234567890,
            "2": "a: {,}\\"",
            "1": [],
            "e": {},
            "l": [
                1,
                {
                    "x": null
                }
            ]
        }
    ]"
  `);
});

describe("templates", () => {
  const container = {
    Id: "1",
    Config: { Env: null, Healthcheck: { Interval: 90_000_000_000 }, Labels: { b: "2", a: "<1>" } },
    HostConfig: {
      CpuShares: 2,
      RestartPolicy: { Name: "no", MaximumRetryCount: 3 },
      PortBindings: { "80/tcp": [{ HostIp: "", HostPort: "8" }] },
    },
  };
  const run = (template: string): string => new Template(template).run(goStruct("container", container));

  test("find what a struct has although the daemon left it out", () => {
    expect(run("{{.ID}}|{{if .State}}x{{end}}|{{.HostConfig.CPUShares}}|{{.Config.Env}}|{{.Config.StopTimeout}}")).toBe("1||2|[]|<nil>");
  });

  test("print structs by their fields, maps by their keys, durations with units", () => {
    expect(run("{{.HostConfig.RestartPolicy}} {{.HostConfig.PortBindings}} {{.Config.Labels}}")).toBe(
      "{no 3} map[80/tcp:[{ 8}]] map[a:<1> b:2]",
    );
    expect(run("{{.Config.Healthcheck.Interval}} {{json .Config.Healthcheck}}")).toBe('1m30s {"Interval":90000000000}');
  });

  test("write JSON with null lists, sorted maps, and without what is empty", () => {
    expect(run("{{json .Config.Env}} {{json .Config.Labels}} {{json .HostConfig.RestartPolicy}}")).toBe(
      'null {"a":"<1>","b":"2"} {"Name":"no","MaximumRetryCount":3}',
    );
  });

  test("tell a field that no struct has", () => {
    expect(() => run("{{.Nope}}")).toThrow("can't evaluate field Nope in type container");
    expect(run("{{.Config.Labels.nope}}")).toBe("<no value>");
  });
});
