import { expect, test } from "bun:test";
import { Template } from "../format/template.ts";
import { withGoFields } from "./fields.ts";
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

test("templates find what a Go struct has although the daemon left it out", () => {
  const fields = (): Record<string, unknown> =>
    withGoFields("container", { Id: "1", State: { Status: "running" }, Config: { Env: null }, HostConfig: { CpuShares: 2 } });
  const run = (template: string): string => new Template(template, { failOnMissingKey: true }).run(fields());
  expect(run("{{.ID}} {{if .State.Health}}x{{end}}{{.HostConfig.CPUShares}} {{.Config.Env}} {{json .Config}}")).toBe('1 2 [] {"Env":null}');
  expect(() => run("{{.Nope}}")).toThrow('map has no entry for key "Nope"');
});
