import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { expectClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { needs } from "../../support/host-has.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  await expectClean(daemon);
  await daemon[Symbol.asyncDispose]();
});

test("--pids-limit contains a fork bomb, and the container can be stopped and removed (H4)", async () => {
  // A shell whose fork fails ends: the bomb is a child, and what it has made stays.
  const bomb = "(while :; do sleep 1000 & done) 2>/dev/null; exec sleep 1000";
  expect(
    (await cli("run", "-d", "--name", "bomb", "--network", "none", "--pids-limit", "30", "--cpus", "0.5", busybox, "sh", "-c", bomb)).code,
  ).toBe(0);
  const count = async () =>
    Number(
      (await daemon.request("GET", "/containers/bomb/stats?stream=false&one-shot=true")).text.match(/"pids_stats":\{"current":(\d+)/)?.[1],
    );
  await until(async () => (await count()) >= 28);
  expect(await count()).toBeLessThanOrEqual(30);
  expect((await cli("run", "--rm", "--network", "none", busybox, "echo", "others go on")).stdout).toBe("others go on\n");
  expect((await cli("rm", "-f", "bomb")).stdout).toBe("bomb\n");
}, 30_000);

test("--cpus is kept within 40 % (H4)", async () => {
  await cli("run", "-d", "--name", "busy", "--network", "none", "--cpus", "0.25", busybox, "sh", "-c", "while :; do :; done");
  const pid = (await cli("inspect", "busy", "--format", "{{.State.Pid}}")).stdout.trim();
  // User and system time, in ticks of 10 ms. Source: proc_pid_stat(5).
  const usedSeconds = (): number => {
    const [, rest = ""] = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ");
    const fields = rest.split(" ");
    return (Number(fields[11]) + Number(fields[12])) / 100;
  };
  const [startedAt, before] = [performance.now(), usedSeconds()];
  await until(() => usedSeconds() - before >= 0.5, 20_000);
  const share = (usedSeconds() - before) / ((performance.now() - startedAt) / 1000);
  await cli("rm", "-f", "busy");
  expect(share).toBeLessThan(0.35);
  // A lower one only says that others have the processors.
  expect(share).toBeGreaterThan(0);
}, 40_000);

interface Held {
  readonly descriptors: number;
  readonly mounts: number;
  readonly links: number;
  readonly processes: number;
}

/** What the daemon and the host hold on to for containers. */
function held(): Held {
  const mounts = readFileSync("/proc/self/mountinfo", "utf8").split("\n");
  const instance = readFileSync(`${daemon.dataRoot}/instance-id`, "utf8").trim();
  const monitors = readdirSync("/proc").filter(
    (pid) => /^\d+$/.test(pid) && commandOf(pid).includes(daemon.execRoot) && commandOf(pid).includes("conmon"),
  );
  return {
    descriptors: readdirSync(`/proc/${daemon.pid}/fd`).length,
    mounts: mounts.filter((line) => line.includes(daemon.dataRoot) || line.includes(daemon.execRoot)).length,
    links: readdirSync("/sys/class/net").filter((name) => name.startsWith(`g${instance}`) || name.startsWith(`gt${instance}`)).length,
    processes: monitors.length,
  };
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, "utf8");
  } catch {
    return ""; // ended meanwhile
  }
}

describe("many containers (H7)", () => {
  test("40 runs one after the other leave no descriptor, mount, link or process", async () => {
    const run = async (round: number): Promise<void> => {
      const result = await cli("run", "--rm", "-v", `volume-${round % 3}:/data`, busybox, "echo", String(round));
      expect(result).toEqual({ code: 0, stdout: `${round}\n`, stderr: "" });
    };
    for (let round = 0; round < 5; round++) await run(round); // connections and files that stay for good
    await until(() => held().mounts <= 4 && held().processes === 1); // one monitor waits for the next container
    const before = held();
    for (let round = 0; round < 40; round++) await run(round);
    await until(() => {
      const after = held();
      return (
        after.mounts <= before.mounts &&
        after.links <= before.links &&
        after.processes <= before.processes &&
        after.descriptors <= before.descriptors + 3
      );
    });
    await cli("volume", "prune", "-af");
  }, 60_000);

  needs("nftables")(
    "24 at once on a network all work, and leave it to be removed",
    async () => {
      await cli("network", "create", "many");
      const runs = Array.from({ length: 24 }, (_, index) =>
        cli(
          "run",
          "--rm",
          "--name",
          `many-${index}`,
          "--network",
          "many",
          busybox,
          "sh",
          "-c",
          `ip -4 addr show eth0 | grep -c inet; hostname -i`,
        ),
      );
      const results = await Promise.all(runs);
      expect(results.filter(({ code }) => code !== 0)).toEqual([]);
      // One interface with one address each; an address is free again as soon as its container has ended.
      for (const { stdout } of results) expect(stdout).toMatch(/^1\n\d+\.\d+\.\d+\.\d+ *\n$/);
      expect((await cli("ps", "-aq")).stdout).toBe("");
      expect((await cli("network", "rm", "many")).code).toBe(0);
    },
    60_000,
  );
});
