import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endClean, expectClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";

let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);
const run = (...args: string[]) => cli("run", "--rm", "--network", "none", ...args);
const folder = mkdtempSync(join(tmpdir(), "gantry-cdi-"));
const [low, high] = [join(folder, "low"), join(folder, "high")];

beforeAll(async () => {
  for (const one of [low, high]) mkdirSync(one);
  daemon = await startDaemon({ args: [`--cdi-spec-dir=${low}`, `--cdi-spec-dir=${high}`] });
  await loadBusybox(daemon);
});
afterAll(async () => {
  await endClean(daemon);
  rmSync(folder, { recursive: true, force: true });
});

const yaml = `
cdiVersion: "0.6.0"
kind: vendor.test/device
containerEdits:
  env: ["FOR_ALL=1"]
devices:
- name: one
  containerEdits:
    env: ["FOR_ONE=1"]
    deviceNodes: [{path: /dev/of-cdi, hostPath: /dev/kmsg, permissions: w}]
    mounts: [{hostPath: ${folder}/shared, containerPath: /of/vendor, options: [ro]}]
    hooks: [{hookName: createRuntime, path: /bin/sh, args: [sh, -c, "echo hooked > ${folder}/hooked"]}]
- name: gone
  containerEdits: {deviceNodes: [{path: /dev/gantry-none}]}
`;

describe("devices by name (CDI)", () => {
  beforeAll(() => {
    mkdirSync(join(folder, "shared"));
    writeFileSync(join(folder, "shared", "driver"), "of the vendor\n");
    writeFileSync(join(low, "device.yaml"), yaml);
  });

  test("bring their nodes, mounts, variables and hooks (RUN-20)", async () => {
    const script =
      "echo $FOR_ALL$FOR_ONE; echo test > /dev/of-cdi && echo written; cat /dev/of-cdi; cat /of/vendor/driver; touch /of/vendor/x";
    const { stdout, stderr } = await run("--device", "vendor.test/device=one", busybox, "sh", "-c", script);
    expect(stdout).toBe("11\nwritten\nof the vendor\n");
    expect(stderr).toContain("can't open '/dev/of-cdi': Operation not permitted");
    expect(stderr).toContain("/of/vendor/x: Read-only file system");
    expect(readFileSync(join(folder, "hooked"), "utf8")).toBe("hooked\n");
    expect((await run(busybox, "sh", "-c", "echo $FOR_ALL; ls /dev/of-cdi")).stdout).toBe("\n");
  });

  test("stand in info, with what is wrong with files", async () => {
    writeFileSync(join(low, "broken.json"), "{");
    const { body } = await daemon.request("GET", "/v1.51/info");
    expect(body).toMatchObject({
      CDISpecDirs: [low, high],
      DiscoveredDevices: [
        { Source: "cdi", ID: "vendor.test/device=gone" },
        { Source: "cdi", ID: "vendor.test/device=one" },
      ],
    });
    expect(JSON.stringify(body)).toContain(`CDI: Error associated with spec file ${low}/broken.json: failed to load CDI Spec`);
    rmSync(join(low, "broken.json"));
  });

  test("of a later folder go before those of an earlier one", async () => {
    const devices = [{ name: "one", containerEdits: { env: ["WHICH=later"] } }];
    writeFileSync(join(high, "other.json"), JSON.stringify({ cdiVersion: "0.5.0", kind: "vendor.test/device", devices }));
    const { stdout } = await run("--device", "vendor.test/device=one", busybox, "sh", "-c", "echo $WHICH$FOR_ALL");
    expect(stdout).toBe("later\n");
    writeFileSync(join(high, "same.json"), JSON.stringify({ cdiVersion: "0.5.0", kind: "vendor.test/device", devices }));
    // Two of one folder contradict each other.
    const { stderr } = await run("--device", "vendor.test/device=one", busybox, "true");
    expect(stderr).toContain("unresolvable CDI devices vendor.test/device=one");
    for (const file of ["other.json", "same.json"]) rmSync(join(high, file));
  });

  test("that are not there are refused by the start, and nothing is left", async () => {
    const { code, stderr } = await run("--device", "vendor.test/device=x", "--device", "vendor.test/device=y", busybox, "true");
    expect(code).toBe(125);
    expect(stderr).toContain("CDI device injection failed: unresolvable CDI devices vendor.test/device=x, vendor.test/device=y");
    const gone = await run("--device", "vendor.test/device=gone", busybox, "true");
    expect(gone.stderr).toContain('failed to inject devices: failed to stat CDI host device "/dev/gantry-none": no such file or directory');
  });

  test("GPUs need a runtime of their vendor", async () => {
    const { code, stderr } = await run("--gpus", "all", busybox, "true");
    expect(code).toBe(125);
    expect(stderr).toContain('could not select device driver "" with capabilities: [[gpu]]');
  });
});

/** The whole disk that the data root lies on. */
function disk(): string {
  const lines = readFileSync("/proc/partitions", "utf8").trim().split("\n").slice(2);
  const names = lines.map((line) => line.trim().split(/\s+/)[3] ?? "");
  return `/dev/${names.find((name) => /^(vd|sd|xvd)[a-z]$|^nvme\d+n\d+$/.test(name)) ?? ""}`;
}

describe("limits of block devices (RUN-19)", () => {
  test("reach the kernel, and are shown", async () => {
    const flags = ["--device-read-bps", `${disk()}:1mb`, "--device-write-iops", `${disk()}:200`];
    expect((await cli("run", "-d", "--name", "throttled", "--network", "none", ...flags, busybox, "sleep", "1000")).code).toBe(0);
    const format = "{{.State.Pid}} {{json .HostConfig.BlkioDeviceReadBps}}";
    const [pid, shown] = (await cli("inspect", "throttled", "--format", format)).stdout.trim().split(" ");
    expect(shown).toBe(`[{"Path":"${disk()}","Rate":1048576}]`);
    expect(throttles(pid ?? "")).toMatch(/\b(\d+:\d+ 1048576|rbps=1048576)\b/);
    expect(throttles(pid ?? "")).toMatch(/\b(\d+:\d+ 200|wiops=200)\b/);
    await cli("rm", "-f", "throttled");
  });

  test("of a device that is not there are refused by the start", async () => {
    const { stderr } = await run("--device-read-bps", "/dev/gantry-none:1mb", busybox, "true");
    expect(stderr).toContain("stat /dev/gantry-none: no such file or directory");
  });
});

function throttles(pid: string): string {
  const lines = readFileSync(`/proc/${pid}/cgroup`, "utf8").trim().split("\n");
  const [, , path = ""] = lines.find((line) => line.includes(":blkio:"))?.split(":") ?? [];
  if (path === "") return readFileSync(`/sys/fs/cgroup${lines.at(-1)?.split("::")[1]}/io.max`, "utf8");
  return ["read_bps", "write_iops"]
    .map((name) => readFileSync(`/sys/fs/cgroup/blkio${path}/blkio.throttle.${name}_device`, "utf8"))
    .join("");
}

/** Only version 1 has groups of real-time processes, and only some kernels. */
const hasRealtime = existsSync("/sys/fs/cgroup/cpu/cpu.rt_runtime_us");

describe("real-time CPU", () => {
  const realtime = ["--cpu-rt-period", "1000000", "--cpu-rt-runtime", "5000", "--cap-add", "SYS_NICE"];

  test.skipIf(!hasRealtime)(
    "is given to a container, and changed by an update, as far as the daemon may give it",
    async () => {
      await using other = await startDaemon({ args: ["--cpu-rt-runtime=20000"] });
      await loadBusybox(other);
      const of = (...args: string[]) => docker(other.host, ...args);
      const { stderr } = await of("run", "-d", "--name", "rt", "--network", "none", ...realtime, busybox, "sleep", "1000");
      expect(stderr).toBe("");
      const pid = (await of("inspect", "rt", "--format", "{{.State.Pid}}")).stdout.trim();
      const [, , path] = /^\d+:cpu:(.*)$/m.exec(readFileSync(`/proc/${pid}/cgroup`, "utf8"))?.[0].split(":") ?? [];
      const runtime = () => readFileSync(`/sys/fs/cgroup/cpu${path}/cpu.rt_runtime_us`, "utf8").trim();
      expect(runtime()).toBe("5000");
      // Where a group has no such time, none of its processes may become one.
      expect(Bun.spawnSync(["chrt", "--fifo", "--pid", "1", pid]).exitCode).toBe(0);
      expect((await of("update", "--cpu-rt-runtime", "7000", "rt")).stdout).toBe("rt\n");
      expect(runtime()).toBe("7000");
      const tooMuch = await of("update", "--cpu-rt-runtime", "900000", "rt");
      expect(tooMuch.code).toBe(1);
      expect(runtime()).toBe("7000");
      expect((await of("inspect", "rt", "--format", "{{.HostConfig.CpuRealtimeRuntime}}")).stdout).toBe("7000\n");
      await of("rm", "-f", "rt");
      await expectClean(other);
    },
    30_000,
  );

  test.skipIf(!hasRealtime)("is refused by the start where the daemon has none to give", async () => {
    const { code, stderr } = await run(...realtime, busybox, "true");
    expect(code).not.toBe(0);
    expect(stderr).toContain("cpu.rt_runtime_us");
  });

  test.skipIf(hasRealtime)("is refused by the create where the kernel has it not", async () => {
    expect((await run(...realtime, busybox, "true")).stderr).toContain("kernel does not support CPU real-time scheduler");
  });
});
