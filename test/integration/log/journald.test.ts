import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, rmSync } from "node:fs";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";

const program = "/lib/systemd/systemd-journald";
const folder = "/run/systemd/journal";
const socket = `${folder}/socket`;
/** On a host without systemd a journald of our own is started, and goes with the tests. */
const isOwn = !existsSync(socket);

let daemon: TestDaemon;
let journald: Bun.Subprocess | undefined;
const cli = (...args: string[]) => docker(daemon.host, ...args);

async function startJournald(): Promise<void> {
  mkdirSync(folder, { recursive: true });
  journald = Bun.spawn([program], { stdio: ["ignore", "ignore", "ignore"] });
  await until(() => existsSync(socket));
}

async function stopJournald(): Promise<void> {
  journald?.kill();
  await journald?.exited;
  rmSync(folder, { recursive: true, force: true });
}

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  await endClean(daemon);
  if (isOwn) await stopJournald();
});

type Entry = Readonly<Record<string, string | readonly number[]>>;

/** What the journal has of a container. */
function entriesOf(name: string): Entry[] {
  Bun.spawnSync(["journalctl", "--sync"]);
  const { stdout } = Bun.spawnSync(["journalctl", "-o", "json", "--all", "--no-pager", `CONTAINER_NAME=${name}`]);
  return stdout
    .toString()
    .split("\n")
    .filter(Boolean)
    .map((line) => JSON.parse(line) as Entry);
}

const log = (...options: string[]): string[] => ["--log-driver", "journald", ...options.flatMap((option) => ["--log-opt", option])];
const unique = (name: string): string => `${name}-${process.pid}`;

test.if(isOwn)("without a journal a container does not start, with Docker's words (LOG-02)", async () => {
  const failed = await cli("run", "--rm", ...log(), busybox, "true");
  expect([failed.code, failed.stderr]).toEqual([
    125,
    "docker: Error response from daemon: failed to create task for container: failed to initialize logging driver: journald is not enabled on this host\n\nRun 'docker run --help' for more information\n",
  ]);
  await startJournald();
});

test("entries of a real journal have Docker's fields (LOG-02, LOG-16)", async () => {
  const name = unique("fields");
  const labels = ["--label", "com.example=1", "-e", "COLOR=red"];
  const options = log("labels=com.example", "env=COLOR", "tag={{.ImageName}}");
  const script = `echo out; sleep 0.1; echo err >&2; sleep 0.1; printf '\\377\\001\\n'; sleep 0.1; printf '%020000d\\n' 7`;
  await cli("run", "--name", name, ...labels, ...options, busybox, "sh", "-c", script);
  await until(() => entriesOf(name).length === 5);
  const [out, err, binary, first, last] = entriesOf(name);
  const id = (await cli("inspect", "-f", "{{.Id}}", name)).stdout.trim();
  const stamps = (await cli("logs", "-t", name)).stdout.split(" ");
  const common = {
    CONTAINER_ID: id.slice(0, 12),
    CONTAINER_ID_FULL: id,
    CONTAINER_NAME: name,
    CONTAINER_TAG: busybox,
    IMAGE_NAME: busybox,
    SYSLOG_IDENTIFIER: busybox,
    COM_EXAMPLE: "1",
    COLOR: "red",
  };
  expect(out).toMatchObject({ ...common, MESSAGE: "out", PRIORITY: "6", CONTAINER_LOG_ORDINAL: "1" });
  expect(Date.parse(String(out?.["SYSLOG_TIMESTAMP"]))).toBe(Date.parse(stamps[0] ?? ""));
  expect(err).toMatchObject({ ...common, MESSAGE: "err", PRIORITY: "3", CONTAINER_LOG_ORDINAL: "2" });
  expect(binary?.["MESSAGE"]).toEqual([0xff, 1]);
  expect(first).toMatchObject({ CONTAINER_PARTIAL_MESSAGE: "true", CONTAINER_PARTIAL_ORDINAL: "1", CONTAINER_PARTIAL_LAST: "false" });
  expect(last).toMatchObject({
    CONTAINER_PARTIAL_MESSAGE: "true",
    CONTAINER_PARTIAL_ORDINAL: "2",
    CONTAINER_PARTIAL_LAST: "true",
    CONTAINER_PARTIAL_ID: first?.["CONTAINER_PARTIAL_ID"] ?? "",
  });
  expect([String(first?.["MESSAGE"]).length, String(last?.["MESSAGE"]).length]).toEqual([16384, 3616]);
  await cli("rm", name);
});

test.if(isOwn)(
  "what is printed while the journal is away comes when it is back (LOG-18)",
  async () => {
    const name = unique("away");
    await cli("run", "-d", "--name", name, ...log(), busybox, "sh", "-c", "echo before; sleep 2; echo meanwhile; sleep 1000");
    await until(() => entriesOf(name).length === 1);
    await stopJournald();
    await until(async () => (await cli("logs", name)).stdout === "before\nmeanwhile\n");
    await startJournald();
    await until(() => entriesOf(name).length >= 2);
    expect(entriesOf(name).map((entry) => entry["MESSAGE"])).toEqual(["before", "meanwhile"]);
    await cli("rm", "-f", name);
  },
  30_000,
);
