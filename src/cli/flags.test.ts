import { describe, expect, test } from "bun:test";
import { UsageError } from "./errors.ts";
import { bool, bytes, duration, filters, int, list, map, parseCsv, strings, text, uint16 } from "./flag-kinds.ts";
import { parseFlags } from "./flags.ts";

const flags = {
  detach: bool("d", "Detach"),
  detachKeys: text(undefined, "Keys"),
  interactive: bool("i", "Interactive"),
  tty: bool("t", "Terminal"),
  rm: bool(undefined, "Remove"),
  sigProxy: bool(undefined, "Proxy", { initially: true }),
  publish: list("p", "Ports"),
  env: list("e", "Environment"),
  memory: bytes("m", "Memory"),
  last: int("n", "Last", { initially: -1 }),
  weight: uint16(undefined, "Weight"),
  alias: strings(undefined, "Aliases"),
  opt: map("o", "Options"),
  wait: duration(undefined, "Wait"),
  network: list(undefined, "Network", (value) => value, { otherNames: ["net"] }),
  filter: filters("f", "Filter"),
} as const;

const parse = (...argv: string[]) => parseFlags(flags, argv);

describe("parseFlags", () => {
  test.each([
    [["-it"], { interactive: true, tty: true }],
    [["-p80:80"], { publish: ["80:80"] }],
    [["-p=80:80"], { publish: ["80:80"] }],
    [["-p", "80:80", "--publish", "81:81", "--publish=82:82"], { publish: ["80:80", "81:81", "82:82"] }],
    [["-itp80"], { interactive: true, tty: true, publish: ["80"] }],
    [["--rm=false"], { rm: false }],
    [["--rm=T"], { rm: true }],
    [["-d=false"], { detach: false }],
    [["--sig-proxy=0"], { sigProxy: false }],
    [["--detach-keys", "a,b"], { detachKeys: "a,b" }],
    [["--detach-keys="], { detachKeys: "" }],
    [["-m", "1.5g"], { memory: 1610612736 }],
    [["-m1k"], { memory: 1024 }],
    [["-n", "-5"], { last: -5 }],
    [["-n=0x10"], { last: 16 }],
    [["--alias", "a,b", "--alias", '"c,d"'], { alias: ["a", "b", "c,d"] }],
    [["-o", "a=b", "-o", "c", "-o", "a=x=y"], { opt: { a: "x=y", c: "" } }],
    [["--wait", "1m30s"], { wait: 90e9 }],
    [["--net", "a", "--network", "b"], { network: ["a", "b"] }],
    [["-f", "name=a", "-f", "name=b", "-f", "STATUS=x"], { filter: { name: ["a", "b"], status: ["x"] } }],
  ])("reads %p as pflag does", (argv, expected) => {
    expect(parse(...argv).values).toMatchObject(expected);
  });

  test("finds flags behind arguments, and none behind --", () => {
    expect(parse("a", "-d", "b", "--", "-i", "--rm")).toMatchObject({
      args: ["a", "b", "-i", "--rm"],
      values: { detach: true, interactive: false },
    });
  });

  test("leaves everything behind the first argument alone when told so", () => {
    const { args, values } = parseFlags(flags, ["-i", "busybox", "sh", "-d", "--rm"], { stopAtFirstArgument: true });
    expect(args).toEqual(["busybox", "sh", "-d", "--rm"]);
    expect(values).toMatchObject({ interactive: true, detach: false, rm: false });
  });

  test("takes a single dash for an argument", () => {
    expect(parse("-").args).toEqual(["-"]);
  });

  test("tells which flags were given, also when they were given their default", () => {
    expect([...parse("--rm=false", "-n", "-1").changed].toSorted()).toEqual(["last", "rm"]);
  });

  test.each([
    [["--help"], true],
    [["-h"], true],
    [["--help=false"], false],
    [["-d"], false],
  ])("%p asks for help: %p", (argv, expected) => {
    expect(parse(...argv).wantsHelp).toBe(expected);
  });

  test.each([
    [["--foo"], "unknown flag: --foo"],
    [["--foo=bar"], "unknown flag: --foo"],
    [["-Z"], "unknown shorthand flag: 'Z' in -Z"],
    [["-itZd"], "unknown shorthand flag: 'Z' in -Zd"],
    [["-m"], "flag needs an argument: 'm' in -m"],
    [["-im"], "flag needs an argument: 'm' in -m"],
    [["--memory"], "flag needs an argument: --memory"],
    [["---x"], "bad flag syntax: ---x"],
    [["--=x"], "bad flag syntax: --=x"],
    [["--rm=maybe"], 'invalid argument "maybe" for "--rm" flag: strconv.ParseBool: parsing "maybe": invalid syntax'],
    [["-m", "abc"], 'invalid argument "abc" for "-m, --memory" flag: invalid size: \'abc\''],
    [["-m", "5x"], 'invalid argument "5x" for "-m, --memory" flag: invalid suffix: \'x\''],
    [["-n", "x"], 'invalid argument "x" for "-n, --last" flag: strconv.ParseInt: parsing "x": invalid syntax'],
    [
      ["-n", "9223372036854775808"],
      'invalid argument "9223372036854775808" for "-n, --last" flag: strconv.ParseInt: parsing "9223372036854775808": value out of range',
    ],
    [["--weight", "65536"], 'invalid argument "65536" for "--weight" flag: strconv.ParseUint: parsing "65536": value out of range'],
    [["--wait", "1"], 'invalid argument "1" for "--wait" flag: time: missing unit in duration "1"'],
    [["--wait", "1y"], 'invalid argument "1y" for "--wait" flag: time: unknown unit "y" in duration "1y"'],
    [["-f", "foo"], 'invalid argument "foo" for "-f, --filter" flag: bad format of filter (expected name=value)'],
  ])("refuses %p with pflag's words", (argv, message) => {
    expect(() => parse(...argv)).toThrow(new UsageError(message));
  });
});

test("parseCsv() reads quoted fields and refuses stray quotes as Go does", () => {
  expect(parseCsv('a,"b,c","d""e",')).toEqual(["a", "b,c", 'd"e', ""]);
  expect(() => parseCsv('a,b"c')).toThrow('parse error on line 1, column 4: bare " in non-quoted-field');
  expect(() => parseCsv('a,"b')).toThrow('extraneous or missing " in quoted-field');
});
