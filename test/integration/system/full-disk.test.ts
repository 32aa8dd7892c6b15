import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, busyboxArchive, loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";

/** A disk of its own that can be filled: a file with ext4 in it. */
const folder = mkdtempSync(join(tmpdir(), "gantry-disk-"));
const disk = join(folder, "disk");
let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);
const run = (...command: string[]) => Bun.spawnSync(command);
const fill = () => run("dd", "if=/dev/zero", `of=${disk}/fill`, "bs=64k");
const free = () => rmSync(join(disk, "fill"), { force: true });

beforeAll(async () => {
  mkdirSync(disk);
  run("truncate", "-s", "128M", join(folder, "image"));
  run("mkfs.ext4", "-q", "-F", join(folder, "image"));
  expect(run("mount", "-o", "loop", join(folder, "image"), disk).exitCode).toBe(0);
  mkdirSync(join(disk, "data"));
  daemon = await startDaemon({ dataRoot: join(disk, "data") });
  await loadBusybox(daemon);
});
afterAll(async () => {
  free();
  await endClean(daemon);
  run("umount", disk);
  rmSync(folder, { recursive: true, force: true });
});

test("G1: a load on a full disk says so and leaves no image", async () => {
  fill();
  await cli("rmi", busybox);
  fill();
  const response = await fetch("http://d/images/load", { unix: daemon.socket, method: "POST", body: await busyboxArchive() });
  expect(await response.text()).toContain("no space left on device");
  expect((await cli("images", "-q")).stdout).toBe("");
  free();
  await loadBusybox(daemon);
  expect((await cli("run", "--rm", "--network", "none", busybox, "echo", "back")).stdout).toBe("back\n");
}, 60_000);

test("G5: stop, inspect and rm work on a full disk, and exit codes are known", async () => {
  await cli("run", "-d", "--name", "runs", "--network", "none", busybox, "sleep", "1000");
  await cli("run", "-d", "--name", "ends", "--network", "none", busybox, "sh", "-c", "sleep 2; exit 7");
  fill();
  expect((await cli("inspect", "runs", "--format", "{{.State.Status}}")).stdout).toBe("running\n");
  await until(async () => (await cli("inspect", "ends", "--format", "{{.State.Status}} {{.State.ExitCode}}")).stdout === "exited 7\n");
  expect((await cli("stop", "-t", "0", "runs")).code).toBe(0);
  expect((await cli("rm", "runs")).stdout).toBe("runs\n");
  free();
}, 60_000);

test("G5: an update that cannot be written down changes nothing, and health checks go on", async () => {
  const checks = ["--health-cmd", "test ! -e /bad", "--health-interval", "100ms", "--health-retries", "1"];
  await cli("run", "-d", "--name", "limited", "--network", "none", "--pids-limit", "20", ...checks, busybox, "sleep", "1000");
  const health = async (): Promise<string> => (await cli("inspect", "limited", "--format", "{{.State.Health.Status}}")).stdout.trim();
  const pidsLimit = async (): Promise<string> => (await cli("inspect", "limited", "--format", "{{.HostConfig.PidsLimit}}")).stdout.trim();
  const inForce = async (): Promise<string> =>
    (await cli("exec", "limited", "sh", "-c", "cat /sys/fs/cgroup/pids/pids.max /sys/fs/cgroup/pids.max 2>/dev/null")).stdout.trim();
  await until(async () => (await health()) === "healthy");
  const before = await inForce();
  fill();
  const refused = await daemon.request("POST", "/containers/limited/update", { PidsLimit: 30 });
  expect([refused.status, refused.text]).toEqual([500, expect.stringContaining("no space left on device")]);
  expect([await pidsLimit(), await inForce()]).toEqual(["20", before]);
  await cli("pause", "limited");
  expect(await health()).toBe("unhealthy");
  await cli("unpause", "limited");
  await until(async () => (await health()) === "healthy");
  free();
  expect((await cli("update", "--pids-limit", "30", "limited")).code).toBe(0);
  expect(await pidsLimit()).toBe("30");
  await cli("rm", "-f", "limited");
}, 60_000);

test("G3: the daemon starts on a full disk and can remove what is there", async () => {
  fill();
  await daemon.kill();
  await daemon.start();
  expect((await cli("ps", "-a", "--format", "{{.Names}}")).stdout).toBe("ends\n");
  expect((await cli("rm", "ends")).code).toBe(0);
  expect((await cli("rmi", busybox)).code).toBe(0);
  free();
  expect(existsSync(join(disk, "fill"))).toBe(false);
}, 60_000);
