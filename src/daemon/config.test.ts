import { expect, test } from "bun:test";
import { parseDaemonArguments } from "./config.ts";

const parse = (args: string[], file?: unknown) =>
  parseDaemonArguments(args, () => (file === undefined ? undefined : JSON.stringify(file))).config;

test("flags and daemon.json set the same things", () => {
  const fromFlags = parse(["-H", "unix:///a", "--host=tcp://127.0.0.1:1", "-D", "--log-opt", "max-size=1m", "--dns=1.1.1.1"]);
  const fromFile = parse([], {
    hosts: ["unix:///a", "tcp://127.0.0.1:1"],
    debug: true,
    "log-opts": { "max-size": "1m" },
    dns: ["1.1.1.1"],
  });
  expect(fromFlags).toEqual(fromFile);
});

test("live restore is on unless it is switched off", () => {
  expect(parse([]).liveRestore).toBe(true);
  expect(parse(["--live-restore=false"]).liveRestore).toBe(false);
});

test("another data root has an exec root of its own", () => {
  expect(parse(["--data-root=/tmp/x"]).execRoot).toMatch(/^\/run\/gantry-[0-9a-f]{8}$/);
  expect(parse([]).execRoot).toBe("/run/gantry");
});

test.each([
  [["--nonsense"], undefined, "unknown flag: --nonsense"],
  [["argument"], undefined, "accepts no arguments"],
  [["-H"], undefined, "flag needs an argument: -H"],
  [["--log-level=loud"], undefined, "invalid log-level"],
  [["--log-driver=loud"], undefined, "invalid log-driver"],
  [["--log-driver=gelf"], undefined, "gelf-address is a required parameter"],
  [[], { "log-driver": "local", "log-opts": { tag: "x" } }, "unknown log opt 'tag' for log driver local"],
  [["--data-root=relative"], undefined, "an absolute path is needed"],
  [[], { nonsense: 1 }, "the following directives don't match any configuration option: nonsense"],
  [[], { debug: "yes" }, '"debug" has the wrong type'],
  [["--debug"], { debug: false }, "both as a flag and in the file: debug"],
  [["--config-file=/absent"], undefined, "cannot read the configuration file /absent"],
])("%p with %p is refused", (args, file, message) => {
  expect(() => parse(args, file)).toThrow(message);
});
