import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync } from "node:fs";
import { mkdtemp, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker, runWithInput } from "../../support/docker.ts";
import { endClean } from "../../support/audit.ts";
import { lackOf, needs } from "../../support/host-has.ts";
import { busybox, loadBusybox } from "../../support/images.ts";

let daemon: TestDaemon;
const run = (...args: string[]) => docker(daemon.host, "run", "--rm", "--network", "none", ...args);

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  await endClean(daemon);
});

describe("docker run", () => {
  test("prints stdout and stderr apart and passes the exit code on", async () => {
    expect(await run(busybox, "sh", "-c", "echo out; echo err >&2; exit 7")).toEqual({ stdout: "out\n", stderr: "err\n", code: 7 });
  });

  test.each([
    ["a program that is not there", ["no-such-program"], 127, 'exec: "no-such-program": executable file not found in $PATH'],
    ["a path that is not there", ["/no/such/path"], 127, 'exec: "/no/such/path": stat /no/such/path: no such file or directory'],
    ["a folder", ["/etc"], 126, 'exec: "/etc": is a directory: permission denied'],
    ["a file that is not executable", ["/etc/passwd"], 126, 'exec: "/etc/passwd": permission denied'],
  ])("of %s ends with Docker's code and text", async (_name, command, code, text) => {
    const result = await run(busybox, ...command);
    expect(result.code).toBe(code);
    expect(result.stderr).toContain(text);
    expect((await docker(daemon.host, "ps", "-aq")).stdout).toBe("");
  });

  test("an exit by a signal is 128 + n", async () => {
    expect((await run(busybox, "sh", "-c", "sh -c 'kill -TERM $$'; exit $?")).code).toBe(143);
  });

  test("-i passes stdin on, with its end", async () => {
    expect((await runWithInput(daemon.host, "one\ntwo\n", "run", "-i", "--rm", busybox, "cat")).stdout).toBe("one\ntwo\n");
    const big = Buffer.alloc(8 << 20, "0123456789abcdef\n");
    const counted = await runWithInput(daemon.host, big, "run", "-i", "--rm", busybox, "sha256sum");
    expect(counted.stdout.slice(0, 64)).toBe(new Bun.CryptoHasher("sha256").update(big).digest("hex"));
  });

  test("a missing image is 404 with the text that makes clients pull", async () => {
    const { status, body } = await daemon.request("POST", "/containers/create", { Image: "test456:v1" });
    expect(status).toBe(404);
    expect(body).toEqual({ message: "No such image: test456:v1" });
  });

  test("environment, workdir, hostname, user and entrypoint are as asked", async () => {
    const result = await run(
      "-e",
      "A=1",
      "-w",
      "/new/folder",
      "-h",
      "box",
      "-u",
      "nobody",
      "--entrypoint",
      "sh",
      busybox,
      "-c",
      "echo $A $(pwd) $(hostname) $(id -u) $HOME",
    );
    expect(result.stdout).toBe("1 /new/folder box 65534 /home\n");
  });

  test("--init puts a reaper before the program", async () => {
    expect((await run("--init", busybox, "sh", "-c", "cat /proc/1/comm")).stdout).not.toBe("sh\n");
  });

  test("-v mounts a file, and makes a folder that is missing, also read-only (bug 28)", async () => {
    const folder = await mkdtemp(`${tmpdir()}/gantry-bind-`);
    await writeFile(`${folder}/file`, "of the host\n");
    const binds = ["-v", `${folder}/file:/file`, "-v", `${folder}/new/one:/one:ro`];
    expect(await run(...binds, busybox, "sh", "-c", "cat /file; ls -d /one")).toEqual({
      stdout: "of the host\n/one\n",
      stderr: "",
      code: 0,
    });
    expect((await stat(`${folder}/new/one`)).isDirectory()).toBe(true);
    await rm(folder, { recursive: true });
  });

  test("a folder mounted onto a file is refused with advice, as the caller's fault", async () => {
    const result = await run("-v", "/tmp:/etc/passwd", busybox, "true");
    expect(result.code).toBe(125);
    expect(result.stderr).toContain("Are you trying to mount a directory onto a file (or vice-versa)?");
  });

  needs("cpuset")("a CPU that is not there is refused before anything is made", async () => {
    const result = await run("--name", "pinned", "--cpuset-cpus", "4000", busybox, "true");
    expect(result.code).toBe(125);
    expect(result.stderr).toContain("Requested CPUs are not available - requested 4000, available: 0");
    expect((await docker(daemon.host, "ps", "-aq")).stdout).toBe("");
  });

  test("twenty at once all end well (H7)", async () => {
    const results = await Promise.all(Array.from({ length: 20 }, (_, index) => run(busybox, "echo", String(index))));
    expect(results.map(({ stdout }) => stdout)).toEqual(results.map((_, index) => `${index}\n`));
  }, 60_000);
});

describe("limits", () => {
  test("memory, cpu and pids reach the cgroup", async () => {
    const files = lackOf("cgroup v1")
      ? ["memory.max", "cpu.max", "pids.max"]
      : ["memory/memory.limit_in_bytes", "cpu/cpu.cfs_quota_us", "pids/pids.max"];
    const result = await run(
      "-m",
      "32m",
      "--cpus",
      "0.5",
      "--pids-limit",
      "50",
      busybox,
      "sh",
      "-c",
      `cd /sys/fs/cgroup; cat ${files.join(" ")}`,
    );
    expect(result.stdout).toMatch(/^33554432\n50000( 100000)?\n50\n$/);
  });

  test("H4: too much memory ends with 137 and OOMKilled", async () => {
    const result = await docker(
      daemon.host,
      "run",
      "--name",
      "hungry",
      "-m",
      "8m",
      "--memory-swap",
      "8m",
      busybox,
      "sh",
      "-c",
      'x=$(head -c 30000000 /dev/zero | tr "\\0" a); echo done',
    );
    expect(result.code).toBe(137);
    expect((await docker(daemon.host, "inspect", "hungry", "--format", "{{.State.OOMKilled}} {{.State.ExitCode}}")).stdout).toBe(
      "true 137\n",
    );
    await docker(daemon.host, "rm", "hungry");
    // conmon notes it where it runs, which must not be where somebody has started the daemon.
    expect(existsSync(`/proc/${daemon.pid}/cwd/oom`)).toBe(false);
  });

  test("ulimits, shm size and tmpfs are as asked", async () => {
    const result = await run(
      "--ulimit",
      "nofile=100:200",
      "--shm-size",
      "1m",
      "--tmpfs",
      "/t:size=2m",
      busybox,
      "sh",
      "-c",
      "ulimit -n; df -k /dev/shm /t | awk '{print $2}'",
    );
    expect(result.stdout).toBe("100\n1K-blocks\n1024\n2048\n");
  });
});

describe("isolation of a default container (requirements D)", () => {
  test("D1: the fourteen capabilities, nothing inheritable or ambient; none effective for other users", async () => {
    const caps = async (...args: string[]) =>
      (await run(...args, busybox, "grep", "-E", "^Cap", "/proc/self/status")).stdout.replace(/\t/g, " ");
    expect(await caps()).toBe(
      "CapInh: 0000000000000000\nCapPrm: 00000000a80425fb\nCapEff: 00000000a80425fb\nCapBnd: 00000000a80425fb\nCapAmb: 0000000000000000\n",
    );
    expect(await caps("-u", "1000")).toContain("CapEff: 0000000000000000\nCapBnd: 00000000a80425fb");
  });

  test("D2: seccomp filters, and namespaces and mounts are refused", async () => {
    const result = await run(busybox, "sh", "-c", "grep Seccomp: /proc/self/status; unshare -U true; mount -t tmpfs x /mnt; true");
    expect(result.stdout).toBe("Seccomp:\t2\n");
    expect(result.stderr).toMatch(/unshare.*Operation not permitted/);
  });

  test("D3: masked paths are empty, read-only paths refuse writes", async () => {
    const result = await run(
      busybox,
      "sh",
      "-c",
      "cat /proc/keys /proc/timer_list /proc/kcore 2>/dev/null | head -c 10 | wc -c; for f in /proc/sys/kernel/hostname /sys/kernel/profiling; do echo x > $f; done; ls /sys/firmware | wc -l",
    );
    expect(result.stdout).toBe("0\n0\n");
    expect(result.stderr.match(/Read-only file system/g)?.length).toBe(2);
  });

  test("D4: no device but the defaults, even made by mknod", async () => {
    const result = await run(busybox, "sh", "-c", "mknod /tmp/disk b 254 0; head -c 1 /tmp/disk; ls /dev | tr '\\n' ' '");
    expect(result.stderr).toContain("Operation not permitted");
    expect(result.stdout.trim().split(" ").sort()).toEqual(
      "core fd full mqueue null ptmx pts random shm stderr stdin stdout tty urandom zero".split(" ").sort(),
    );
  });

  test("D5: no descriptor above 2 reaches the container", async () => {
    // 3 is that of ls itself.
    expect((await run(busybox, "ls", "/proc/self/fd")).stdout).toBe("0\n1\n2\n3\n");
  });

  test("D6: environment and host name of the daemon do not leak", async () => {
    const result = await run(busybox, "env");
    expect(
      result.stdout
        .split("\n")
        .map((line) => line.split("=")[0])
        .filter(Boolean)
        .sort(),
    ).toEqual(["HOME", "HOSTNAME", "PATH", "PWD", "SHLVL"].filter((name) => result.stdout.includes(`${name}=`)).sort());
  });

  test("D8: no-new-privileges, dropped capabilities and a read-only root do what they say; unknown options are refused", async () => {
    const result = await run(
      "--security-opt",
      "no-new-privileges",
      "--cap-drop",
      "ALL",
      "--read-only",
      busybox,
      "sh",
      "-c",
      "grep -E 'NoNewPrivs|CapEff' /proc/self/status; touch /x",
    );
    expect(result.stdout).toBe("CapEff:\t0000000000000000\nNoNewPrivs:\t1\n");
    expect(result.stderr).toContain("Read-only file system");
    expect((await run("--security-opt", "nonsense=1", busybox, "true")).code).toBe(125);
  });

  test("D9: only privileged sees the host's devices", async () => {
    const count = async (...args: string[]) => Number((await run(...args, busybox, "sh", "-c", "ls /dev | wc -l")).stdout);
    expect(await count("--privileged")).toBeGreaterThan(await count());
  });
});
