import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  await endClean(daemon);
});

/** Monitors of this daemon: pid → id of the container. */
function monitors(): Map<number, string> {
  const found = new Map<number, string>();
  for (const name of readdirSync("/proc").filter((entry) => /^\d+$/.test(entry))) {
    try {
      const words = readFileSync(`/proc/${name}/cmdline`, "utf8").split("\0");
      if (words[0]?.endsWith("conmon") && words.some((word) => word.startsWith(daemon.execRoot)))
        found.set(Number(name), words[words.indexOf("-c") + 1] ?? "");
    } catch {
      // it has just ended
    }
  }
  return found;
}

/** True while the configuration of this container has not been given. */
function waits(id: string): boolean {
  return statSync(`${daemon.execRoot}/bundles/${id.slice(0, 16)}/config.json`, { throwIfNoEntry: false })?.isFIFO() === true;
}

/** After a run one monitor waits for the next container. @returns its pid and id */
async function spare(): Promise<[pid: number, id: string]> {
  expect((await cli("run", "--rm", busybox, "true")).code).toBe(0);
  let waiting: [number, string][] = [];
  await until(() => {
    const all = [...monitors()];
    waiting = all.filter(([, id]) => waits(id));
    return all.length === 1 && waiting.length === 1;
  });
  const [only] = waiting;
  if (!only) throw new Error("no monitor waits");
  return only;
}

test("the next container gets the id of the monitor that waits for it", async () => {
  const [, id] = await spare();
  expect((await cli("run", "-d", "--name", "next", busybox, "sleep", "1000")).stdout.trim()).toBe(id);
  await cli("rm", "-f", "next");
});

test("a monitor that has died is replaced without a word", async () => {
  const [pid] = await spare();
  process.kill(pid, "SIGKILL");
  expect(await cli("run", "--rm", busybox, "echo", "works")).toMatchObject({ code: 0, stdout: "works\n", stderr: "" });
});

test("one whose container has been created dies with the wait for the start, which then works all the same", async () => {
  const [pid] = await spare();
  await cli("create", "--name", "late", busybox, "echo", "late");
  await until(() => !monitors().has(pid), 20_000);
  expect((await cli("start", "-a", "late")).stdout).toBe("late\n");
  await cli("rm", "late");
}, 40_000);

test("the removal of a container that was never started leaves nothing of what was made ready", async () => {
  const [pid, id] = await spare();
  expect((await cli("create", "--name", "never", busybox, "true")).stdout.trim()).toBe(id);
  await cli("rm", "never");
  await until(() => !monitors().has(pid) && !readdirSync(`${daemon.dataRoot}/containers`).includes(id));
});

test("F4: it ends by itself when the daemon is killed, and the next daemon removes its folder", async () => {
  const [, id] = await spare();
  await daemon.kill();
  await until(() => monitors().size === 0);
  await daemon.start();
  expect(readdirSync(`${daemon.dataRoot}/containers`)).not.toContain(id);
});

test("F4: a created container survives a kill of the daemon together with what was made ready for it", async () => {
  await spare();
  await cli("create", "--name", "kept", busybox, "echo", "kept");
  await daemon.kill();
  await daemon.start();
  expect((await cli("start", "-a", "kept")).stdout).toBe("kept\n");
  await cli("rm", "kept");
});

describe("a container that was made ahead", () => {
  /** Creates one by the spare monitor. @returns its id */
  async function create(...args: string[]): Promise<string> {
    const [, id] = await spare();
    expect(await cli("create", "--name", "ahead", ...args)).toMatchObject({ code: 0, stdout: `${id}\n` });
    return id;
  }

  /** Creates one, and waits until its first process waits. @returns its pid */
  async function createAhead(...args: string[]): Promise<number> {
    const id = await create(...args);
    const states = `${daemon.execRoot}/runtime`;
    const pidFile = `${daemon.execRoot}/bundles/${id.slice(0, 16)}/pid`;
    const pid = (): number => (existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0);
    await until(() => pid() > 0 && readdirSync(states).some((runtime) => existsSync(`${states}/${runtime}/${id}/exec.fifo`)));
    return pid();
  }
  afterEach(() => cli("rm", "-f", "ahead"));

  test("is the one that is started, with the addresses and names of the start", async () => {
    const pid = await createAhead(busybox, "sleep", "1000");
    expect((await cli("start", "ahead")).code).toBe(0);
    const format = "{{.State.Pid}} {{.NetworkSettings.IPAddress}} {{.Config.Hostname}}";
    const [started, address, hostname] = (await cli("inspect", "ahead", "--format", format)).stdout.trim().split(" ");
    expect(Number(started)).toBe(pid);
    expect((await cli("exec", "ahead", "cat", "/etc/hosts")).stdout).toContain(`${address}\t${hostname}\n`);
    expect((await cli("exec", "ahead", "ip", "-o", "addr", "show", "eth0")).stdout).toContain(`inet ${address}/`);
  });

  test("is made anew with what was changed by an update", async () => {
    const pid = await createAhead(busybox, "sleep", "1000");
    await cli("update", "-m", "64m", "--memory-swap", "64m", "ahead");
    expect((await cli("start", "ahead")).code).toBe(0);
    const started = Number((await cli("inspect", "ahead", "--format", "{{.State.Pid}}")).stdout);
    expect(started).not.toBe(pid);
    const limit = await cli(
      "exec",
      "ahead",
      "sh",
      "-c",
      "cat /sys/fs/cgroup/memory/memory.limit_in_bytes /sys/fs/cgroup/memory.max 2>/dev/null",
    );
    expect(limit.stdout).toBe(`${64 << 20}\n`);
  });

  test("finds what was copied into it: its user, and a program that was missing", async () => {
    await create("--user", "made-later", busybox, "/made-later");
    const folder = mkdtempSync(join(tmpdir(), "ahead-"));
    writeFileSync(join(folder, "passwd"), "root:x:0:0::/:/bin/sh\nmade-later:x:1234:1234::/:/bin/sh\n");
    writeFileSync(join(folder, "made-later"), "#!/bin/sh\nid -u\n", { mode: 0o755 });
    await cli("cp", join(folder, "passwd"), "ahead:/etc/passwd");
    await cli("cp", join(folder, "made-later"), "ahead:/made-later");
    rmSync(folder, { recursive: true });
    expect(await cli("start", "-a", "ahead")).toMatchObject({ code: 0, stdout: "1234\n" });
  });

  test("a network that it joined meanwhile is there", async () => {
    await cli("network", "create", "joined");
    await createAhead(busybox, "sleep", "1000");
    await cli("network", "connect", "joined", "ahead");
    await cli("start", "ahead");
    expect((await cli("exec", "ahead", "ip", "-o", "-4", "addr")).stdout).toMatch(/eth0 .*eth1 /s);
    await cli("rm", "-f", "ahead");
    await cli("network", "rm", "joined");
  });

  test("one whose first process was killed is made anew", async () => {
    process.kill(await createAhead(busybox, "echo", "again"), "SIGKILL");
    expect(await cli("start", "-a", "ahead")).toMatchObject({ code: 0, stdout: "again\n" });
  });

  test("F4: a kill of the daemon leaves a container that was created, and nothing that waits", async () => {
    const pid = await createAhead(busybox, "echo", "kept");
    await daemon.kill();
    await daemon.start();
    await until(() => !existsSync(`/proc/${pid}`));
    expect((await cli("ps", "-a", "--format", "{{.Names}} {{.State}}")).stdout).toBe("ahead created\n");
    expect((await cli("start", "-a", "ahead")).stdout).toBe("kept\n");
  });
});

test("it ends with the daemon", async () => {
  await spare();
  await daemon.stop();
  expect(monitors().size).toBe(0);
  await daemon.start();
});
