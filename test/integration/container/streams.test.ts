import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import net from "node:net";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker, runWithInput } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { runInTerminal } from "../../support/terminal.ts";
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

describe("a terminal", () => {
  test("run -it has the client's size and passes the exit code on", async () => {
    const session = await runInTerminal(["docker", "-H", daemon.host, "run", "-it", "--rm", "--network", "none", busybox, "sh"], {
      columns: 100,
      rows: 30,
    });
    await session.until("/ #");
    session.type("stty size\n");
    await session.until("30 100");
    session.type("exit 3\n");
    expect(await session.exit()).toBe(3);
  }, 30_000);

  test("detach keys leave the container running, and input works after each attach", async () => {
    await cli("run", "-dit", "--name", "kept", "--network", "none", busybox, "sh");
    for (const word of ["first", "second"]) {
      const session = await runInTerminal(["docker", "-H", daemon.host, "attach", "kept"], { columns: 80, rows: 24 });
      session.type(`echo ${word}-$((1+1))\n`);
      await session.until(`${word}-2`);
      session.type("\x10\x11");
      await session.exit();
      expect((await cli("inspect", "kept", "--format", "{{.State.Running}}")).stdout).toBe("true\n");
    }
    await cli("rm", "-f", "kept");
  }, 30_000);
});

describe("output", () => {
  test("of a million lines attached is whole", async () => {
    const { stdout, code } = await cli("run", "--rm", "--network", "none", busybox, "seq", "1000000");
    expect(code).toBe(0);
    expect(new Bun.CryptoHasher("md5").update(stdout).digest("hex")).toBe("8a7095c1c23bfadc311fe6b16d950582");
  }, 60_000);

  test("H1: binary bytes and long lines come back as they were", async () => {
    const script = "head -c 3000000 /dev/zero | tr '\\0' a; printf '\\000\\377\\r\\n'";
    const child = Bun.spawn(["docker", "-H", daemon.host, "run", "--rm", "--network", "none", busybox, "sh", "-c", script], {
      stdout: "pipe",
    });
    const bytes = Buffer.from(await new Response(child.stdout).arrayBuffer());
    expect(bytes.length).toBe(3_000_004);
    expect([...bytes.subarray(-4)]).toEqual([0, 255, 13, 10]);
  });

  test("logs show streams, tail, since and time stamps; follow ends with the container", async () => {
    await cli(
      "run",
      "--name",
      "logged",
      "--network",
      "none",
      busybox,
      "sh",
      "-c",
      "for i in 1 2 3; do echo out $i; done; echo err >&2; sleep 1.2; echo late",
    );
    expect(await cli("logs", "logged")).toEqual({ stdout: "out 1\nout 2\nout 3\nlate\n", stderr: "err\n", code: 0 });
    expect((await cli("logs", "--tail", "1", "logged")).stdout).toBe("late\n");
    expect((await cli("logs", "-t", "logged")).stdout).toMatch(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{9}Z out 1\n/);
    const finished = (await cli("inspect", "logged", "--format", "{{.State.FinishedAt}}")).stdout.trim();
    const since = (Date.parse(finished) / 1000 - 0.8).toFixed(3);
    expect((await cli("logs", "--since", since, "logged")).stdout).toBe("late\n");
    expect((await cli("logs", "--follow", "logged")).stdout).toContain("late\n");
    await cli("rm", "logged");
  }, 20_000);

  test("a client attached later that never reads neither stops the container nor hides its end", async () => {
    await cli("run", "-d", "--name", "loud", "--network", "none", busybox, "sh", "-c", "sleep 0.5; seq 3000000");
    const stuck = net.connect(daemon.socket);
    stuck.on("error", () => {});
    stuck.write("POST /containers/loud/attach?stream=1&stdout=1 HTTP/1.1\r\nHost: d\r\nUpgrade: tcp\r\nConnection: Upgrade\r\n\r\n");
    stuck.pause();
    expect((await cli("wait", "loud")).stdout).toBe("0\n");
    stuck.destroy();
    await cli("rm", "loud");
  }, 60_000);

  test("events tell a life in order, with exit codes", async () => {
    const since = (Date.now() / 1000).toFixed(3);
    await cli("run", "--rm", "--name", "told", "--network", "none", busybox, "sh", "-c", "exit 6");
    let lines: { Action: string; Actor: { Attributes: Record<string, string> } }[] = [];
    await until(async () => {
      const response = await fetch(
        `http://d/events?since=${since}&until=${Date.now() / 1000}&filters=${encodeURIComponent('{"type":["container"]}')}`,
        { unix: daemon.socket },
      );
      lines = (await response.text())
        .split("\n")
        .filter(Boolean)
        .map((line) => JSON.parse(line) as (typeof lines)[number]);
      return lines.some(({ Action }) => Action === "destroy");
    });
    expect(lines.map(({ Action }) => Action)).toEqual(["create", "attach", "start", "die", "destroy"]);
    expect(lines[3]?.Actor.Attributes).toMatchObject({ name: "told", exitCode: "6", image: busybox });
  });
});

describe("input", () => {
  test("its end reaches a container that has printed before, every time", async () => {
    const run = async (): Promise<string> => {
      const script = "echo first; cat";
      const { stdout } = await runWithInput(daemon.host, "last\n", "run", "-i", "--rm", "--network", "none", busybox, "sh", "-c", script);
      return stdout;
    };
    const rounds = Array.from({ length: 10 }, (_, round) => round);
    for (const _ of rounds) expect(new Set(await Promise.all([run(), run(), run(), run()]))).toEqual(new Set(["first\nlast\n"]));
  }, 60_000);

  test("that nobody reads any more is thrown away", async () => {
    const script = "head -c 2 >/dev/null; exec <&-; sleep 1; echo done";
    const { stdout, code } = await runWithInput(daemon.host, Buffer.alloc(5_000_000, 97), "run", "-i", "--rm", busybox, "sh", "-c", script);
    expect({ stdout, code }).toEqual({ stdout: "done\n", code: 0 });
  }, 30_000);

  test("of one client that leaves ends the input of an attached container, and not that of a detached one", async () => {
    await cli("run", "-di", "--name", "open", "--network", "none", busybox, "cat");
    for (const word of ["one", "two"]) {
      const attached = Bun.spawn(["docker", "-H", daemon.host, "attach", "open"], { stdin: "pipe", stdout: "ignore", stderr: "ignore" });
      await attached.stdin.write(`${word}\n`);
      await attached.stdin.flush();
      await until(async () => (await cli("logs", "open")).stdout.includes(word));
      attached.kill("SIGKILL");
      await attached.exited;
    }
    expect((await cli("inspect", "open", "--format", "{{.State.Status}}")).stdout).toBe("running\n");
    expect((await cli("logs", "open")).stdout).toBe("one\ntwo\n");
    await cli("rm", "-f", "open");
  }, 30_000);
});
