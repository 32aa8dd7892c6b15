import { describe, expect, test } from "bun:test";
import { Template } from "./template.ts";
import { Row } from "./values.ts";

const value = {
  Name: "/web",
  Id: "3983233f5e5a0771",
  Count: 3,
  Ratio: 1.5,
  On: true,
  None: null,
  Args: ["-c", "sleep 1"],
  Labels: { b: "2", a: "1" },
  State: { Running: true, Health: null },
};

const run = (template: string, data: unknown = value): string => new Template(template, { failOnMissingKey: true }).run(data);

describe("templates", () => {
  test.each([
    ["{{.Name}}", "/web"],
    ["a{{ .Count }}b", "a3b"],
    ["{{.State.Running}} {{.None}} {{.Ratio}}", "true <nil> 1.5"],
    ["{{.Args}} {{.Labels}}", "[-c sleep 1] map[a:1 b:2]"],
    ["{{if .On}}yes{{else}}no{{end}}", "yes"],
    ["{{if not .On}}a{{else if eq .Count 3}}b{{else}}c{{end}}", "b"],
    ["{{range .Args}}<{{.}}>{{end}}", "<-c><sleep 1>"],
    ["{{range $i, $arg := .Args}}{{if $i}}, {{end}}{{$arg}}{{end}}", "-c, sleep 1"],
    ["{{range $key, $value := .Labels}}{{$key}}={{$value}} {{end}}", "a=1 b=2 "],
    ["{{range .None}}x{{else}}nothing{{end}}", "nothing"],
    ["{{range .Args}}{{.}}{{break}}{{end}}", "-c"],
    ["{{with .State}}{{.Running}}{{end}}", "true"],
    ["{{with .None}}x{{else}}y{{end}}", "y"],
    ["{{$x := .Name}}{{$x = .Id}}{{$x}} {{$.Count}}", "3983233f5e5a0771 3"],
    ['{{.Name | upper | printf "%s-%s" "a"}}', "a-/WEB"],
    ['{{printf "%.4s|%5d|%-4q|%05.1f|%x" .Id .Count "a" .Ratio "hi"}}', '3983|    3|"a" |001.5|6869'],
    ['{{(index .Args 1)}} {{index .Labels "b"}} {{index .Labels "none"}}', "sleep 1 2 "],
    ["{{len .Args}} {{len .Name}}", "2 4"],
    ["{{and .On .Name}} {{or .None .Name}} {{and .None (index .Args 9)}}", "/web /web <nil>"],
    ['{{lt .Count 4}} {{ge .Count 4}} {{ne .Name "x"}} {{eq .Count 1 2 3}}', "true false true true"],
    ["{{json .Labels}} {{json .Name}}", '{"a":"1","b":"2"} "/web"'],
    ['{{json "<&>"}}', '"<&>"'],
    ['{{join .Args "+"}} {{split "a,b" ","}} {{title "ab cd"}} {{truncate .Id 4}} {{pad "x" 1 2}}|', "-c+sleep 1 [a b] Ab Cd 3983  x  |"],
    ['{{slice .Id 0 4}} {{println 1 2}}{{print 1 2 "a" 3}}', "3983 1 2\n1 2a3"],
    ["a  {{- .Count -}}  b", "a3b"],
    ["{{/* nothing */}}{{- /* nothing */ -}} x", "x"],
    ["{{`raw`}}{{'a'}}{{\"t\\tq\"}}", "raw97t\tq"],
  ])("%p prints %p", (template, expected) => {
    expect(run(template)).toBe(expected);
  });

  // What Docker 28 says to the same templates.
  test.each([
    ["{{.Foo", "template: :1: unclosed action"],
    ["{{foo}}", 'template: :1: function "foo" not defined'],
    ["{{if}}{{end}}", "template: :1: missing value for if"],
    ["{{end}}", "template: :1: unexpected {{end}}"],
    ["{{range .Args}}", "template: :1: unexpected EOF"],
    ['{{"a}}', "template: :1: unterminated quoted string"],
    ["{{.Nope}}", 'template: :1:2: executing "" at <.Nope>: map has no entry for key "Nope"'],
    ["{{.Id}}{{.Nope}}", 'template: :1:9: executing "" at <.Nope>: map has no entry for key "Nope"'],
    ["{{.Name.Foo.Bar}}", 'template: :1:7: executing "" at <.Name.Foo.Bar>: can\'t evaluate field Foo in type string'],
    ["{{index .Args 7}}", 'template: :1:2: executing "" at <index .Args 7>: error calling index: index out of range: 7'],
    ["{{.Name 1}}", 'template: :1:2: executing "" at <.Name>: Name has arguments but cannot be invoked as function'],
  ])("%p is refused with %p", (template, message) => {
    expect(() => run(template)).toThrow(message);
  });

  test("a row names its type when it lacks a field, and its methods take arguments", () => {
    const row = new Row("*formatter.ContainerContext", { ID: () => "1" }, { methods: { Label: (name) => `label ${String(name)}` } });
    expect(run('{{.ID}} {{.Label "x"}} {{json .}}', row)).toBe('1 label x {"ID":"1"}');
    expect(() => run("{{.Foo}}", row)).toThrow("can't evaluate field Foo in type *formatter.ContainerContext");
  });

  test("deep nesting is refused and not followed", () => {
    expect(() => run(`{{${"(".repeat(50_000)}}}`)).toThrow("nested too deeply");
    expect(() => run("{{if .On}}".repeat(1000))).toThrow("nested too deeply");
  });
});
