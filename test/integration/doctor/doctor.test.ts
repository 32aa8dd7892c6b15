import { expect, test } from "bun:test";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { examineHost } from "../../../src/helper/doctor/doctor.ts";
import type { Check } from "../../../src/helper/doctor/check.ts";
import { repair } from "../../../src/helper/doctor/repair.ts";

const main = join(import.meta.dir, "../../../src/main.ts");

async function doctor(...args: readonly string[]): Promise<{ readonly stdout: string; readonly stderr: string; readonly code: number }> {
  const child = Bun.spawn([process.execPath, main, "doctor", ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return { stdout, stderr, code };
}

test("this host has everything the tests run on, and the exit code says so", async () => {
  const { stdout, code } = await doctor("--format", "json");
  const checks = JSON.parse(stdout) as Check[];
  expect(checks.filter(({ status }) => status === "missing")).toEqual([]);
  expect(code).toBe(0);
  for (const name of ["overlay", "erofs", "user namespaces", "nf_tables", "bridge", "veth", "conmon", "nft", "cgroups", "disk"])
    expect(checks.map((check) => check.name)).toContain(name);
});

test("the table says of each line how it stands, without colours where there is no terminal", async () => {
  const { stdout } = await doctor();
  expect(stdout).not.toContain("\u001b");
  for (const line of stdout.trimEnd().split("\n")) expect(line).toMatch(/^(ok|info|warn|missing)\s+\S|^\s+do this: \S/);
});

test("a data root that cannot be is a problem with its reason, and the exit code tells", async () => {
  const { stdout, code } = await doctor("--data-root", "/proc/nowhere/gantry");
  expect(stdout).toMatch(/missing +data root +\/proc\/nowhere\/gantry cannot be used/);
  expect(code).toBe(1);
});

test("how layers are mounted is told by the probe: on a tmpfs the kernel takes no files", async () => {
  const erofsOn = async (folder: string) => (await examineHost(folder)).find(({ name }) => name === "erofs");
  expect(await erofsOn("/dev/shm/gantry")).toMatchObject({ status: "ok", detail: expect.stringContaining("through loop devices") });
  expect(await erofsOn("/var/tmp/gantry")).toMatchObject({ status: "ok", detail: expect.stringContaining("from files") });
});

test("the probes leave nothing behind", async () => {
  const mountsBefore = readFileSync("/proc/self/mountinfo", "utf8");
  await examineHost("/var/tmp/gantry-absent/data");
  expect(
    readFileSync("/proc/self/mountinfo", "utf8")
      .split("\n")
      .filter((line) => line.includes(".gantry-doctor-")),
  ).toEqual([]);
  expect(mountsBefore).not.toContain(".gantry-doctor-");
  expect(readdirSync("/var/tmp").filter((name) => name.startsWith(".gantry-doctor-"))).toEqual([]);
});

test("an unknown option or format is refused", async () => {
  expect((await doctor("--format", "xml")).code).toBe(2);
});

test("a repair is told before it is tried; one that fails says why and leaves nothing", async () => {
  const lines: string[] = [];
  const check: Check = {
    name: "controller",
    status: "warn",
    detail: "is left",
    repair: { type: "mount-controller", controller: "gantry-nosuch" },
  };
  await repair([check], (line) => lines.push(line));
  expect(lines[0]).toBe("mounting the cgroup controller gantry-nosuch as v1 on /sys/fs/cgroup/gantry-nosuch");
  expect(lines[1]).toContain("that failed: mount cgroup on /sys/fs/cgroup/gantry-nosuch");
  expect(existsSync("/sys/fs/cgroup/gantry-nosuch")).toBe(false);
});
