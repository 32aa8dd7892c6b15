import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { hostname } from "node:os";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";
import { makeCertificates } from "../api/certificates.ts";
import { FluentdReceiver, GelfReceiver, TextReceiver } from "./receivers.ts";

let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);

const certificates = makeCertificates();
const certificate = (name: string) => ({ cert: readFileSync(certificates(`${name}.pem`)), key: readFileSync(certificates(`${name}.key`)) });

beforeAll(async () => {
  process.env["SSL_CERT_FILE"] = certificates("ours.pem");
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  delete process.env["SSL_CERT_FILE"];
  await endClean(daemon);
});

const numbersTo = (last: number): string[] => Array.from({ length: last }, (_, index) => String(index + 1));
const logTo = (driver: string, ...options: string[]): string[] => [
  "--log-driver",
  driver,
  ...options.flatMap((option) => ["--log-opt", option]),
];
const run = (name: string, log: readonly string[], ...command: string[]) =>
  cli("run", "-d", "--name", name, "--network", "none", ...log, busybox, ...command);
const remove = (name: string) => cli("rm", "-f", name);

/** Each line at least once, and none before the one that was printed before it came for the first time. */
function expectInOrder(received: readonly string[], expected: readonly string[]): void {
  const firsts = [...new Set(received)];
  expect(firsts.length).toBe(expected.length);
  expect(firsts.join("\n") === expected.join("\n")).toBe(true); // not toEqual: a difference of thousands of lines would be printed
}

async function idOf(name: string): Promise<string> {
  return (await cli("inspect", "-f", "{{.Id}}", name)).stdout.trim();
}

describe("fluentd", () => {
  test("events carry container, stream, labels and variables, and `logs` has them too (LOG-03, LOG-21)", async () => {
    await using server = await new FluentdReceiver().start();
    const log = logTo("fluentd", `fluentd-address=127.0.0.1:${server.port}`, "tag=app.{{.Name}}", "labels=com.example", "env=COLOR");
    await cli(
      ...["run", "--name", "fl", "--label", "com.example=1", "-e", "COLOR=red", ...log, busybox, "sh", "-c"],
      "echo out; sleep 0.1; echo err >&2; sleep 0.1; printf '%020000d' 7",
    );
    await until(() => server.events.length === 4);
    const common = { container_id: await idOf("fl"), container_name: "/fl", "com.example": "1", COLOR: "red" };
    expect(server.events.map(({ tag }) => tag)).toEqual(Array.from({ length: 4 }, () => "app.fl"));
    expect(server.events[0]?.record).toEqual({ ...common, source: "stdout", log: "out" });
    expect(server.events[1]?.record).toEqual({ ...common, source: "stderr", log: "err" });
    const [first, second] = server.events.slice(2).map(({ record }) => record);
    expect(first).toMatchObject({ partial_message: "true", partial_ordinal: "1", partial_last: "false" });
    expect(second).toMatchObject({
      partial_message: "true",
      partial_ordinal: "2",
      partial_last: "false",
      partial_id: first?.["partial_id"],
    });
    expect([first?.["log"]?.length, second?.["log"]?.length]).toEqual([16384, 3616]);
    expect(Math.abs((server.events[0]?.seconds ?? 0) - Date.now() / 1000)).toBeLessThan(20);

    const logs = await cli("logs", "fl");
    expect([logs.stdout.slice(0, 4), logs.stdout.length, logs.stderr]).toEqual(["out\n", 20_004, "err\n"]);
    await remove("fl");
  });

  test("a container started again goes on where its log was, and nothing comes twice", async () => {
    await using server = new FluentdReceiver();
    server.path = `${daemon.execRoot}/fluentd`;
    await server.start();
    const log = logTo("fluentd", `fluentd-address=unix://${server.path}`, "fluentd-request-ack=true");
    await run("twice", log, "seq", "1", "500");
    await cli("wait", "twice");
    await cli("start", "twice");
    await cli("wait", "twice");
    await until(() => server.events.length >= 1000);
    expect(server.logs).toEqual([...numbersTo(500), ...numbersTo(500)]);
    expect((await cli("logs", "twice")).stdout.split("\n")).toHaveLength(1001);
    await remove("twice");
  });

  test("by TLS events go to a server whose authority the host knows, and to no other (LOG-03)", async () => {
    await using good = new FluentdReceiver();
    good.tls = certificate("engine");
    await using bad = new FluentdReceiver();
    bad.tls = certificate("mallory");
    await good.start();
    await bad.start();
    const log = (server: FluentdReceiver): string[] => logTo("fluentd", `fluentd-address=tls://127.0.0.1:${server.port}`);
    expect((await run("by-tls", log(good), "echo", "x")).code).toBe(0);
    await until(() => good.logs.includes("x"));
    const refused = await run("refused", log(bad), "echo", "secret");
    expect(refused.stderr).toContain("failed to initialize logging driver: tls: ");
    expect(bad.events).toEqual([]);
    await remove("by-tls");
    await remove("refused");
  });

  test("an answer that is none breaks the connection, and the records come again", async () => {
    await using server = await new FluentdReceiver().start();
    server.garbage = true;
    const options = [`fluentd-address=127.0.0.1:${server.port}`, "fluentd-request-ack=true", "fluentd-retry-wait=50ms"];
    await run("garbage", logTo("fluentd", ...options), "seq", "1", "3");
    await until(() => server.connections >= 3);
    server.garbage = false;
    server.events.length = 0;
    await until(() => server.logs.includes("3"));
    expectInOrder(server.logs, numbersTo(3));
    await remove("garbage");
  });

  test("a tag can name host and image beside the time and the container's id (LOG-16)", async () => {
    await using server = await new FluentdReceiver().start();
    const tag = "tag={{.Hostname}}/{{.ImageName}}/{{upper .Name}}/{{.FullID}}";
    await run("tagged", logTo("fluentd", `fluentd-address=127.0.0.1:${server.port}`, tag), "echo", "x");
    await until(() => server.events.length === 1);
    const id = await idOf("tagged");
    expect(server.events[0]?.tag).toBe(`${hostname()}/${busybox}/TAGGED/${id}`);
    expect(server.events[0]?.record["container_id"]).toBe(id);
    await remove("tagged");
  });

  test("times have nanoseconds when asked for (LOG-04)", async () => {
    await using server = await new FluentdReceiver().start();
    await run("sub", logTo("fluentd", `fluentd-address=tcp://127.0.0.1:${server.port}`, "fluentd-sub-second-precision=true"), "echo", "x");
    await until(() => server.events.length === 1);
    expect(server.events[0]?.nanoseconds).toBeGreaterThan(0);
    const shown = (await cli("logs", "-t", "sub")).stdout.split(" ")[0] ?? "";
    expect(shown).toEndWith(`.${String(server.events[0]?.nanoseconds).padStart(9, "0")}Z`);
    await remove("sub");
  });

  test("a container does not start without its server, but with fluentd-async it does (LOG-04)", async () => {
    const failed = await run("lone", logTo("fluentd", "fluentd-address=127.0.0.1:1"), "true");
    expect(failed.code).toBe(125);
    expect(failed.stderr).toContain(
      "failed to create task for container: failed to initialize logging driver: dial tcp 127.0.0.1:1: connect: connection refused",
    );
    await remove("lone");
    const server = await new FluentdReceiver().start();
    await server.stop();
    const log = logTo("fluentd", `fluentd-address=127.0.0.1:${server.port}`, "fluentd-async=true", "fluentd-retry-wait=100ms");
    expect((await run("async", log, "seq", "1", "100")).code).toBe(0);
    expect((await cli("wait", "async")).stdout).toBe("0\n");
    await server.start();
    await until(() => server.events.length >= 100);
    expectInOrder(server.logs, numbersTo(100));
    await server.stop();
    await remove("async");
  });

  test("what is not acknowledged is sent again (LOG-04)", async () => {
    await using server = await new FluentdReceiver().start();
    server.breakAfter = 3000;
    const options = [`fluentd-address=127.0.0.1:${server.port}`, "fluentd-request-ack=true", "fluentd-retry-wait=100ms"];
    await run("acked", logTo("fluentd", ...options), "seq", "1", "10000");
    await until(() => server.logs.includes("10000"));
    expectInOrder(server.logs, numbersTo(10_000));
    expect(server.connections).toBe(2);
    // At most one batch came twice.
    expect(server.logs.length).toBeLessThanOrEqual(10_512);
    await remove("acked");
  });

  test("a server that is away costs nothing: not the container's time, not the daemon's, no line (LOG-18)", async () => {
    await using server = await new FluentdReceiver().start();
    const log = logTo("fluentd", `fluentd-address=127.0.0.1:${server.port}`, "fluentd-retry-wait=100ms");
    await run("away", log, "sh", "-c", "seq 1 2000; sleep 1; seq 2001 4000; sleep 1; seq 4001 6000");
    await until(() => server.events.length >= 2000);
    await server.stop();
    expect((await cli("wait", "away")).stdout).toBe("0\n");
    expect((await cli("logs", "--tail", "1", "away")).stdout).toBe("6000\n");
    await server.start();
    await until(() => server.logs.includes("6000"));
    expectInOrder(server.logs, numbersTo(6000));
    await remove("away");
  });

  test("nothing is lost over a kill of the daemon while the server is away, whether the container has ended or not (LOG-18, F8)", async () => {
    await using server = await new FluentdReceiver().start();
    const log = logTo("fluentd", `fluentd-address=127.0.0.1:${server.port}`, "fluentd-retry-wait=100ms", "fluentd-request-ack=true");
    await run("runs", log, "sh", "-c", "seq 1 1000; sleep 3; seq 1001 2000; sleep 1000");
    await run("ends", log, "sh", "-c", "seq 10001 11000; sleep 2; seq 11001 12000");
    await until(() => server.events.length >= 2000);
    await server.stop();
    await cli("wait", "ends");
    await daemon.kill();
    await Bun.sleep(2000);
    await daemon.start();
    expect((await cli("inspect", "-f", "{{.State.Running}}", "runs")).stdout).toBe("true\n");
    await server.start();
    await until(() => server.logs.includes("2000") && server.logs.includes("12000"));
    expectInOrder(
      server.logs.filter((line) => line.length < 5),
      numbersTo(2000),
    );
    expectInOrder(
      server.logs.filter((line) => line.length === 5),
      Array.from({ length: 2000 }, (_, index) => String(10_001 + index)),
    );
    await remove("runs");
    await remove("ends");
  }, 60_000);

  test("kills of the daemon while it sends lose nothing and turn nothing round (LOG-18, F8)", async () => {
    await using server = await new FluentdReceiver().start();
    const log = logTo("fluentd", `fluentd-address=127.0.0.1:${server.port}`, "fluentd-request-ack=true", "fluentd-retry-wait=100ms");
    const script = "i=0; while [ $i -lt 40000 ]; do seq $((i+1)) $((i+200)); i=$((i+200)); usleep 20000; done";
    await run("killed", log, "sh", "-c", script);
    for (let kill = 0; kill < 4; kill++) {
      await Bun.sleep(300 + Math.random() * 300);
      await daemon.kill();
      await daemon.start();
    }
    await until(() => server.logs.includes("40000"), 30_000);
    expectInOrder(server.logs, numbersTo(40_000));
    await remove("killed");
  }, 90_000);

  test("fluentd-max-retries gives records up, and the daemon's log tells (LOG-04)", async () => {
    await using server = await new FluentdReceiver().start();
    await server.stop();
    const options = [`fluentd-address=127.0.0.1:${server.port}`, "fluentd-async=true", "fluentd-max-retries=2", "fluentd-retry-wait=10ms"];
    await run("gives-up", logTo("fluentd", ...options), "sh", "-c", "echo lost; sleep 2; echo kept");
    await until(() => daemon.log().includes("1 records were not sent after 2 retries"));
    await server.start();
    await until(() => server.events.length > 0);
    expect(server.logs).toEqual(["kept"]);
    await remove("gives-up");
  });
});

describe("gelf", () => {
  test.each([
    ["gzip", []],
    ["zlib", ["gelf-compression-type=zlib", "gelf-compression-level=9"]],
    ["none", ["gelf-compression-type=none"]],
  ])(
    "messages by UDP with %s carry time, host, container and image, long ones in chunks (LOG-08, LOG-16)",
    async (compression, options) => {
      await using server = await new GelfReceiver().start();
      const log = logTo("gelf", `gelf-address=udp://127.0.0.1:${server.port}`, ...options, "labels=team", "tag={{.ImageName}}");
      const random = "head -c 9000 /dev/urandom | od -An -tx1 -v | tr -d ' \\n'"; // cannot be compressed below a datagram
      await cli(
        ...["run", "--name", "ge", "--label", "team=a", ...log, busybox, "sh", "-c"],
        `echo out; echo; sleep 0.1; echo "<err>" >&2; sleep 0.1; ${random}`,
      );
      await until(() => server.messages.length === 4);
      const [out, err, part] = server.messages;
      const id = await idOf("ge");
      const common = {
        version: "1.1",
        host: hostname(),
        _container_id: id,
        _container_name: "ge",
        _image_name: busybox,
        _tag: busybox,
        _team: "a",
      };
      expect(out).toMatchObject({ ...common, short_message: "out", level: 6 });
      expect(err).toMatchObject({ ...common, short_message: "<err>", level: 3 });
      expect(part?.["short_message"]).toHaveLength(16384);
      const shown = (await cli("logs", "-t", "ge")).stdout.split(" ")[0] ?? "";
      expect(out?.["timestamp"]).toBe(Date.parse(shown) / 1000);
      expect([...server.compressions]).toEqual([compression]);
      expect(server.chunked).toBeGreaterThan(0);
      await remove("ge");
    },
  );

  test("by TCP nothing is lost while the server is away (LOG-08, LOG-18)", async () => {
    await using server = await new TextReceiver("\0").start();
    const log = logTo("gelf", `gelf-address=tcp://127.0.0.1:${server.port}`);
    await run("ge-tcp", log, "sh", "-c", "seq 1 1000; sleep 1.5; seq 1001 2000; sleep 1; seq 2001 3000; sleep 1000");
    await until(() => server.texts.length >= 1000);
    await Bun.sleep(1100); // what was sent is out of doubt
    await server.stop();
    await until(async () => (await cli("logs", "--tail", "1", "ge-tcp")).stdout === "3000\n");
    await server.start();
    const numbers = (): string[] => server.texts.map((text) => (JSON.parse(text) as { short_message: string }).short_message);
    await until(() => numbers().includes("3000"));
    expectInOrder(numbers(), numbersTo(3000));
    await remove("ge-tcp");
  }, 30_000);
});

test("a server that closes each connection gets all, and is not sent the same for ever (LOG-18)", async () => {
  await using server = new TextReceiver("\0");
  server.closes = true;
  await server.start();
  const log = logTo("gelf", `gelf-address=tcp://127.0.0.1:${server.port}`, "gelf-tcp-reconnect-delay=0");
  await run("closes", log, "sh", "-c", "for i in 1 2 3; do echo $i; sleep 0.4; done");
  const numbers = (): string[] => server.texts.map((text) => (JSON.parse(text) as { short_message: string }).short_message);
  await until(() => numbers().includes("3"));
  await Bun.sleep(1500);
  expect([...new Set(numbers())]).toEqual(["1", "2", "3"]);
  expect(numbers().length).toBeLessThanOrEqual(24);
  await remove("closes");
});

describe("a server that takes nothing", () => {
  test("keeps neither the container nor the daemon waiting (E9)", async () => {
    await using server = new TextReceiver("\n");
    server.stuck = true;
    await server.start();
    await run("stuck", logTo("syslog", `syslog-address=tcp://127.0.0.1:${server.port}`), "seq", "1", "300000");
    expect((await cli("wait", "stuck")).stdout).toBe("0\n");
    expect((await cli("logs", "--tail", "1", "stuck")).stdout).toBe("300000\n");
    const start = performance.now();
    await remove("stuck");
    expect(performance.now() - start).toBeLessThan(5000);
    await daemon.stop();
    await daemon.start();
  }, 60_000);
});

describe("the copy that `logs` reads (LOG-21)", () => {
  const away = ["syslog-address=udp://127.0.0.1:9"];

  test("follows, tails and selects as with json-file", async () => {
    await run("copy", logTo("syslog", ...away), "sh", "-c", "seq 1 5; sleep 1; seq 6 10");
    expect((await cli("logs", "-f", "copy")).stdout).toBe(`${numbersTo(10).join("\n")}\n`);
    expect((await cli("logs", "--tail", "2", "copy")).stdout).toBe("9\n10\n");
    const sixth = (await cli("logs", "-t", "--tail", "5", "copy")).stdout.split(" ")[0] ?? "";
    expect((await cli("logs", "--since", sixth, "copy")).stdout).toBe("6\n7\n8\n9\n10\n");
    await remove("copy");
  });

  test("can be forbidden, with Docker's words", async () => {
    await run("no-copy", logTo("syslog", ...away, "cache-disabled=true"), "echo", "x");
    const logs = await cli("logs", "no-copy");
    expect([logs.code, logs.stderr]).toEqual([1, "Error response from daemon: configured logging driver does not support reading\n"]);
    await remove("no-copy");
  });

  test("has the size that its options say, however much is printed (H2)", async () => {
    const options = ["cache-max-size=100k", "cache-max-file=2", "cache-compress=false"];
    await run("small-copy", logTo("syslog", ...away, ...options), "seq", "1", "50000");
    await cli("wait", "small-copy");
    await until(async () => {
      const shown = (await cli("logs", "small-copy")).stdout.trim().split("\n").map(Number);
      return shown.at(-1) === 50_000 && shown.length < 20_000 && shown.length > 5000;
    });
    await remove("small-copy");
  });
});

test("info lists the drivers as Docker does, and a container shows no path of a log that is no json-file (LOG-14)", async () => {
  const plugins = JSON.parse((await cli("info", "-f", "{{json .Plugins.Log}}")).stdout) as string[];
  expect(plugins).toEqual(["fluentd", "gelf", "journald", "json-file", "local", "syslog"]);
  await run("paths", ["--log-driver", "local"], "true");
  await run("json-path", [], "true");
  expect((await cli("inspect", "-f", "{{.LogPath}}", "paths")).stdout).toBe("\n");
  expect((await cli("inspect", "-f", "{{.LogPath}}", "json-path")).stdout).toEndWith("-json.log\n");
  await remove("paths");
  await remove("json-path");
});
