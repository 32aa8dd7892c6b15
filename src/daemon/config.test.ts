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

test("experimental features are off unless they are switched on, by flag or file", () => {
  expect(parse([]).experimental).toBe(false);
  expect(parse(["--experimental"]).experimental).toBe(true);
  expect(parse([], { experimental: true }).experimental).toBe(true);
});

test("another data root has an exec root of its own", () => {
  expect(parse(["--data-root=/tmp/x"]).execRoot).toMatch(/^\/run\/gantry-[0-9a-f]{8}$/);
  expect(parse([]).execRoot).toBe("/run/gantry");
});

test("registries: mirrors by name, proxies in an object of their own, uploads at once", () => {
  const fromFlags = parse([
    ...["--mirror", "ghcr.io=https://a", "--mirror=ghcr.io=https://b", "--mirror=*=https://c"],
    ...["--http-proxy=http://p:1", "--no-proxy=a,b", "--max-concurrent-uploads=2"],
  ]);
  const fromFile = parse([], {
    mirrors: { "ghcr.io": ["https://a", "https://b"], "*": ["https://c"] },
    proxies: { "http-proxy": "http://p:1", "no-proxy": "a,b" },
    "max-concurrent-uploads": 2,
  });
  expect(fromFlags).toEqual(fromFile);
  expect(parse([]).maximumConcurrentUploads).toBe(5);
});

test.each([
  [["--nonsense"], undefined, "unknown flag: --nonsense"],
  [["argument"], undefined, "accepts no arguments"],
  [["-H"], undefined, "flag needs an argument: -H"],
  [["--log-level=loud"], undefined, "invalid log-level"],
  [["--log-driver=loud"], undefined, "invalid log-driver"],
  [["--log-driver=gelf"], undefined, "gelf-address is a required parameter"],
  [["--storage-opt=size=1g"], undefined, "overlay2: unknown option size"],
  [["-s", "vfs", "--storage-opt=overlay2.size=1g"], undefined, "unknown option overlay2.size for vfs"],
  [["-s", "unpacked"], undefined, 'invalid storage-driver "unpacked": use one of erofs, erofs-loop, overlay2, vfs'],
  [["-s", "aufs"], undefined, "storage driver aufs is not supported: this kernel has no aufs. Use overlay2"],
  [[], { "storage-driver": "devicemapper" }, "storage driver devicemapper is not supported: Docker has removed it"],
  [[], { "storage-driver": "overlay" }, "storage driver overlay is not supported: Docker has removed it in favour of overlay2"],
  [[], { "storage-opts": { "overlay2.size": "1g" } }, '"storage-opts" has the wrong type'],
  [[], { "log-driver": "local", "log-opts": { tag: "x" } }, "unknown log opt 'tag' for log driver local"],
  [["--data-root=relative"], undefined, "an absolute path is needed"],
  [[], { nonsense: 1 }, "the following directives don't match any configuration option: nonsense"],
  [[], { "http-proxy": "http://p" }, "don't match any configuration option: http-proxy outside of proxies"],
  [[], { proxies: "http://p" }, "don't match any configuration option: proxies"],
  [[], { proxies: { nonsense: "x" } }, "don't match any configuration option: nonsense"],
  [[], { mirrors: { "ghcr.io": "https://a" } }, '"mirrors" has the wrong type'],
  [["--mirror=https://a"], undefined, "invalid argument"],
  [["--mirror=ghcr.io=ftp://a"], undefined, 'invalid mirror: unsupported scheme in "ftp://a"'],
  [["--registry-mirror=https://a/path"], undefined, "invalid mirror: path, query, or fragment"],
  [["--max-concurrent-uploads=0"], undefined, "invalid max concurrent uploads: 0"],
  [[], { debug: "yes" }, '"debug" has the wrong type'],
  [["--debug"], { debug: false }, "both as a flag and in the file: debug"],
  [["--config-file=/absent"], undefined, "cannot read the configuration file /absent"],
])("%p with %p is refused", (args, file, message) => {
  expect(() => parse(args, file)).toThrow(message);
});

test.each([
  ["overlay2", "overlay2"],
  ["overlayfs", "overlay2"],
  ["vfs", "vfs"],
  ["", undefined],
] as const)("IMG-09, IMG-14: the storage driver %j of a dockerd's daemon.json is taken", (name, driver) => {
  expect(parse([], { "storage-driver": name }).storageDriver).toBe(driver as never);
});
