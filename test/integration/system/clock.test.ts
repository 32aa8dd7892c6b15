import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { docker } from "../../support/docker.ts";
import { loadBusybox, busybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";
import { BareDaemon } from "../api/bare-daemon.ts";

/**
 * Requirement F15. The host's clock belongs to all, and moving it in the C library alone would set it apart from the kernel's: this one is
 * the daemon's own idea of the time of day, which a file sets.
 */
const folder = mkdtempSync(join(tmpdir(), "gantry-clock-"));
const clock = `
import { readFileSync } from "node:fs";
const real = Date.now;
Date.now = () => real() + 1000 * Number(readFileSync("${folder}/seconds", "utf8"));
globalThis.Date = new Proxy(Date, {
  construct: (target, values, proxy) => Reflect.construct(target, values.length === 0 ? [target.now()] : values, proxy),
});
`;
const day = 86_400;
const step = (seconds: number): void => writeFileSync(join(folder, "seconds"), String(seconds));
const daemon = new BareDaemon();
const host = `unix://${daemon.execRoot}/gantry.sock`;
const cli = (...args: string[]) => docker(host, ...args);

beforeAll(async () => {
  writeFileSync(join(folder, "clock.ts"), clock);
  step(0);
  await daemon.start([], { environment: { BUN_OPTIONS: `--preload ${folder}/clock.ts` } });
  await loadBusybox({ socket: host.slice("unix://".length) });
});
afterAll(async () => {
  for (const id of (await cli("ps", "-aq")).stdout.split("\n").filter(Boolean)) await cli("rm", "-f", id);
  await daemon[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true });
});

const systemSeconds = async (): Promise<number> => Date.parse((await cli("info", "--format", "{{.SystemTime}}")).stdout.trim()) / 1000;

test.each<[string, number]>([
  ["a year back", -365 * day],
  ["a day forward", day],
])(
  "a clock set %s breaks no wait, restart, stop, event or order (F15)",
  async (_what, seconds) => {
    step(0);
    const restarts = async (name: string): Promise<number> => Number((await cli("inspect", name, "--format", "{{.RestartCount}}")).stdout);
    await cli("run", "-d", "--name", "loops", "--network", "none", "--restart", "always", busybox, "sh", "-c", "exit 1");
    await cli("run", "-d", "--name", "deaf", "--network", "none", busybox, "sh", "-c", "trap '' TERM; while :; do usleep 10000; done");
    const events = Bun.spawn(["docker", "-H", host, "events", "--filter", "container=after", "--format", "{{.Action}}"], {
      stdout: "pipe",
    });
    const logs = Bun.spawn(["docker", "-H", host, "logs", "-f", "deaf"], { stdout: "ignore", stderr: "ignore" });
    await until(async () => (await restarts("loops")) >= 2);
    const stopping = performance.now();
    const stopped = cli("stop", "-t", "2", "deaf");

    step(seconds);
    expect(Math.abs((await systemSeconds()) - Date.now() / 1000 - seconds)).toBeLessThan(10);
    await stopped;
    const tookMilliseconds = performance.now() - stopping;
    expect(tookMilliseconds).toBeGreaterThan(1500);
    expect(tookMilliseconds).toBeLessThan(8000);
    expect(await logs.exited).toBe(0);
    const before = await restarts("loops");
    await until(async () => (await restarts("loops")) > before);
    await cli("rm", "-f", "loops");

    // What comes after comes after, in the events' order and in `ps`.
    expect((await cli("run", "--name", "after", "--network", "none", busybox, "echo", "runs")).stdout).toBe("runs\n");
    const shown = events.stdout.getReader();
    let actions = "";
    await until(async () => {
      const { value } = await shown.read();
      actions += Buffer.from(value ?? []).toString();
      return actions.includes("die");
    });
    expect(actions.trim().split("\n").slice(0, 4)).toEqual(["create", "attach", "start", "die"]);
    events.kill();
    step(day);
    const past = await fetch(`http://d/events?since=1&until=${Math.ceil(Date.now() / 1000) + day - 1}`, {
      unix: host.slice("unix://".length),
    });
    const nanos = (await past.text())
      .trim()
      .split("\n")
      .map((line) => BigInt(/"timeNano":(\d+)/.exec(line)?.[1] ?? 0));
    expect(nanos.length).toBeGreaterThan(10);
    expect(nanos).toEqual(nanos.toSorted((a, b) => (a < b ? -1 : 1)));
    await cli("rm", "-f", "deaf", "after");
  },
  40_000,
);

test.each<[string, number]>([
  ["a year back", -365 * day],
  ["a day forward", day],
])(
  "a clock set %s moves no health check and no start period (F15)",
  async (_what, seconds) => {
    step(0);
    const read = async (format: string): Promise<string> => (await cli("inspect", "checked", "--format", format)).stdout.trim();
    const began = performance.now();
    const flags = ["--health-cmd", "false", "--health-interval", "200ms", "--health-retries", "1", "--health-start-period", "4s"];
    await cli(
      "run",
      "-d",
      "--name",
      "checked",
      "--network",
      "none",
      ...flags,
      "--health-start-interval",
      "200ms",
      busybox,
      "sleep",
      "1000",
    );
    await until(async () => Number(await read("{{len .State.Health.Log}}")) >= 1);
    step(seconds);
    await until(async () => Number(await read("{{len .State.Health.Log}}")) >= 4, 3000);
    expect(await read("{{.State.Health.Status}} {{.State.Health.FailingStreak}}")).toBe("starting 0");
    await until(async () => (await read("{{.State.Health.Status}}")) === "unhealthy", 10_000);
    expect(performance.now() - began).toBeGreaterThan(3800);
    step(0);
    await cli("rm", "-f", "checked");
  },
  40_000,
);
