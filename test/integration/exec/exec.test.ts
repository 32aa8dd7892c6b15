import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker, runWithInput } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { runInTerminal } from "../../support/terminal.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;
const exec = (...args: string[]) => docker(daemon.host, "exec", ...args);

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
  await docker(daemon.host, "run", "-d", "--name", "target", "--network", "none", "-e", "FROM=container", busybox, "sleep", "100000");
});
afterAll(async () => {
  await endClean(daemon);
});

describe("docker exec", () => {
  test("keeps stdout, stderr and the exit code apart", async () => {
    expect(await exec("target", "sh", "-c", "echo out; echo err >&2; exit 5")).toEqual({ stdout: "out\n", stderr: "err\n", code: 5 });
  });

  test.each([
    ["no-such-program", 127, 'exec: "no-such-program": executable file not found in $PATH'],
    ["/etc", 126, 'exec: "/etc": is a directory: permission denied'],
  ])("of %s tells why, and nothing else", async (program, code, text) => {
    const result = await exec("target", program);
    expect(result.code).toBe(code);
    expect(`${result.stdout}${result.stderr}`.trim()).toBe(
      `OCI runtime exec failed: exec failed: unable to start container process: ${text}`,
    );
  });

  test("passes a big stdin through, with its end", async () => {
    const big = Buffer.alloc(4 << 20, "abcdefgh");
    const { stdout } = await runWithInput(daemon.host, big, "exec", "-i", "target", "sha256sum");
    expect(stdout.slice(0, 64)).toBe(new Bun.CryptoHasher("sha256").update(big).digest("hex"));
  });

  test("D7: has the container's capabilities, seccomp, environment and cgroup; user and folder of its own", async () => {
    const { stdout } = await exec(
      "-u",
      "1000:1234",
      "-w",
      "/tmp",
      "-e",
      "OWN=1",
      "target",
      "sh",
      "-c",
      "grep -E 'CapBnd|Seccomp:' /proc/self/status; echo $FROM $OWN $(pwd) $(id -u):$(id -g)",
    );
    expect(stdout.replace(/\t/g, " ")).toBe("CapBnd: 00000000a80425fb\nSeccomp: 2\ncontainer 1 /tmp 1000:1234\n");
  });

  test("detached runs on alone", async () => {
    expect((await exec("-d", "target", "sh", "-c", "sleep 0.2; touch /tmp/done")).code).toBe(0);
    await until(async () => (await exec("target", "ls", "/tmp/done")).code === 0);
  });

  test("is started once, and inspect tells how it ended", async () => {
    const { body } = await daemon.request("POST", "/containers/target/exec", { Cmd: ["sh", "-c", "exit 9"] });
    const { Id } = body as { Id: string };
    expect((await daemon.request("POST", `/exec/${Id}/start`, { Detach: true })).status).toBe(200);
    await until(async () => ((await daemon.request("GET", `/exec/${Id}/json`)).body as { ExitCode: number | null }).ExitCode === 9);
    const again = await daemon.request("POST", `/exec/${Id}/start`, { Detach: true });
    expect(again.status).toBe(409);
  });

  test.each([
    ["/containers/target/exec", { Cmd: [] }, 400, "No exec command specified"],
    ["/containers/absent/exec", { Cmd: ["true"] }, 404, "No such container: absent"],
    ["/exec/absent/start", {}, 404, "No such exec instance: absent"],
  ])("POST %s with %p is refused", async (path, body, status, message) => {
    expect(await daemon.request("POST", path, body)).toMatchObject({ status, body: { message } });
  });

  test.each([
    ["no-such-user", "unable to find user no-such-user: no matching entries in passwd file"],
    ["root:no-such-group", "unable to find group no-such-group: no matching entries in group file"],
  ])("as %s is refused before it is made", async (user, message) => {
    const answer = await daemon.request("POST", "/containers/target/exec", { Cmd: ["true"], User: user });
    expect(answer).toMatchObject({ status: 400, body: { message } });
  });

  test("that was never started goes with the run it was made for; one that ran keeps its exit code", async () => {
    await docker(daemon.host, "run", "-d", "--name", "short", busybox, "sleep", "1000");
    const create = async (...command: string[]) =>
      ((await daemon.request("POST", "/containers/short/exec", { Cmd: command })).body as { Id: string }).Id;
    const [waiting, ran] = [await create("true"), await create("sh", "-c", "exit 9")];
    await daemon.request("POST", `/exec/${ran}/start`, { Detach: true });
    const code = async () => (await daemon.request("GET", `/exec/${ran}/json`)).body as { ExitCode: number | null };
    await until(async () => (await code()).ExitCode === 9);
    await docker(daemon.host, "restart", "-t", "0", "short");
    expect(await daemon.request("POST", `/exec/${waiting}/start`, { Detach: true })).toMatchObject({
      status: 404,
      body: { message: `No such exec instance: ${waiting}` },
    });
    expect(await code()).toMatchObject({ ExitCode: 9, Running: false });
    expect((await docker(daemon.host, "inspect", "short", "--format", "{{.ExecIDs}}")).stdout).toBe("[]\n");
    await docker(daemon.host, "rm", "-f", "short");
  });

  test("a resize that comes before the start waits for it", async () => {
    const { body } = await daemon.request("POST", "/containers/target/exec", { Cmd: ["sleep", "5"], Tty: true });
    const { Id } = body as { Id: string };
    const resized = daemon.request("POST", `/exec/${Id}/resize?h=33&w=99`);
    await Bun.sleep(200);
    expect((await daemon.request("POST", `/exec/${Id}/start`, { Detach: true, Tty: true })).status).toBe(200);
    expect((await resized).status).toBe(200);
  });

  test("-it has a terminal of the client's size, which follows the client's", async () => {
    const session = await runInTerminal(["docker", "-H", daemon.host, "exec", "-it", "target", "sh"], { columns: 90, rows: 30 });
    await session.until("/ #");
    session.type("stty size\n");
    await session.until("30 90");
    session.resize({ columns: 111, rows: 33 });
    await session.until(async () => {
      session.type("stty size\n");
      await Bun.sleep(100);
      return session.text().includes("33 111");
    });
    session.type("exit 4\n");
    expect(await session.exit()).toBe(4);
  }, 30_000);
});
