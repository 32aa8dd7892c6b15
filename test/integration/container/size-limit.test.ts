import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, readFileSync, statfsSync, statSync } from "node:fs";
import { join } from "node:path";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker, runWithInput } from "../../support/docker.ts";
import { mountImage } from "../../support/file-system-image.ts";
import { lackOf } from "../../support/host-has.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;
/** Where the host has quotas, a file system that has none: with them there is no disk (project-quota.test.ts). */
const image = lackOf("project quotas") === undefined ? mountImage("ext4") : undefined;
const cli = (...args: string[]) => docker(daemon.host, ...args);

beforeAll(async () => {
  const dataRoot = image && join(image.folder, "data");
  if (dataRoot !== undefined) mkdirSync(dataRoot);
  daemon = await startDaemon({ ...(dataRoot !== undefined && { dataRoot }) });
  await loadBusybox(daemon);
});
afterAll(async () => {
  try {
    await endClean(daemon);
  } finally {
    image?.[Symbol.dispose]();
  }
});

const mounts = () =>
  readFileSync("/proc/self/mountinfo", "utf8")
    .split("\n")
    .filter((line) => line.includes(`${daemon.dataRoot}/containers/`));
/** Loop devices whose file lies in the data root. */
async function loops(): Promise<string[]> {
  const files = await Array.fromAsync(new Bun.Glob("loop*/loop/backing_file").scan({ cwd: "/sys/block", followSymlinks: true }));
  return files.filter((file) => {
    try {
      return readFileSync(`/sys/block/${file}`, "utf8").startsWith(daemon.dataRoot);
    } catch {
      return false; // given back meanwhile
    }
  });
}

const limited = (name: string, size: string, ...command: string[]) =>
  cli("run", "-d", "--name", name, "--network", "none", "--storage-opt", `size=${size}`, busybox, ...command);

describe("--storage-opt size without project quotas", () => {
  test("limits what a container writes, takes only the room that is used, and leaves nothing", async () => {
    const script = "df -m / | tail -1 | awk '{print $2}'; dd if=/dev/zero of=/big bs=1M count=100 2>&1 | head -1";
    const { stdout } = await cli("run", "--name", "big", "--network", "none", "--storage-opt", "size=30M", busybox, "sh", "-c", script);
    expect(Number(stdout.split("\n")[0])).toBeWithin(26, 31);
    expect(stdout).toContain("No space left on device");
    const id = (await cli("inspect", "big", "--format", "{{.Id}}")).stdout.trim();
    expect(statSync(`${daemon.dataRoot}/containers/${id}/disk`).size).toBe(30 << 20);
    await cli("rm", "big");
    await until(() => mounts().length === 0 && !existsSync(`${daemon.dataRoot}/containers/${id}`));
    expect(await loops()).toEqual([]);
  }, 30_000);

  test("goes on with ps -s, diff, cp, export and restart, also of one that was never started", async () => {
    await cli("create", "--name", "made", "--storage-opt", "size=20M", busybox, "cat", "/in");
    expect((await cli("ps", "-as", "--format", "{{.Size}}", "--filter", "name=made")).stdout).toStartWith("0B");
    expect((await runWithInput(daemon.host, tarOf("in", "put in\n"), "cp", "-", "made:/")).code).toBe(0);
    expect((await cli("diff", "made")).stdout).toBe("A /in\n");
    expect((await cli("ps", "-as", "--format", "{{.Size}}", "--filter", "name=made")).stdout).toStartWith("7B");
    expect((await cli("start", "-a", "made")).stdout).toBe("put in\n");
    expect((await cli("export", "made")).stdout).toContain("put in");
    await cli("rm", "made");
  }, 30_000);

  test("outlives a kill of the daemon: what runs keeps its files, what does not can be read and started", async () => {
    await limited("runs", "20M", "sh", "-c", "echo kept > /kept; sleep 1000");
    await cli(
      "run",
      "--name",
      "ended",
      "--network",
      "none",
      "--storage-opt",
      "size=20M",
      busybox,
      "sh",
      "-c",
      "echo x >> /count; cat /count",
    );
    await daemon.kill();
    await daemon.start();
    expect((await cli("exec", "runs", "cat", "/kept")).stdout).toBe("kept\n");
    expect((await cli("diff", "ended")).stdout).toBe("A /count\n");
    expect((await cli("start", "-a", "ended")).stdout).toBe("x\nx\n");
    expect(mounts().filter((line) => line.includes("/limited "))).toHaveLength(2);
    await cli("rm", "-f", "runs", "ended");
    await until(() => mounts().length === 0);
  }, 60_000);

  test("a kill while containers with a limit are made leaves nothing", async () => {
    const begun = Array.from({ length: 6 }, (_, index) => limited(`killed${index}`, "20M", "sleep", "1000"));
    await Bun.sleep(150);
    await daemon.kill();
    await Promise.all(begun);
    await daemon.start();
    const names = (await cli("ps", "-aq")).stdout.trim().split("\n").filter(Boolean);
    if (names.length > 0) expect((await cli("rm", "-f", ...names)).code).toBe(0);
    await until(() => mounts().length === 0);
    await until(async () => (await loops()).length === 0); // the kernel gives them back in its own time
  }, 60_000);

  test("of more than the host has is the host's", async () => {
    const { stdout, stderr } = await cli("run", "--rm", "--network", "none", "--storage-opt", "SIZE=900T", busybox, "df", "-k", "/");
    expect(stderr).toMatch(/^WARNING: The size limit is more than the host's disk has left.*\n$/);
    const { blocks, bsize } = statfsSync(daemon.dataRoot);
    const hostBytes = blocks * bsize;
    expect(Number(/overlay +(\d+)/.exec(stdout)?.[1])).toBeWithin((hostBytes * 0.9) / 1024, hostBytes / 1024);
  }, 30_000);

  test.each([
    ["size=x", "invalid size: 'x'"],
    ["size=100k", "Minimum size of a container is 1MB"],
    ["color=red", "Unknown option color"],
  ])("%s is refused", async (option, message) => {
    const { code, stderr } = await cli("create", "--storage-opt", option, busybox);
    expect(code).toBe(1);
    expect(stderr).toContain(message);
  });
});

/** An archive with one small file. Source: POSIX pax, "ustar Interchange Format". */
function tarOf(name: string, content: string): Uint8Array {
  const head = Buffer.alloc(512);
  head.write(name, 0);
  head.write("0000644\0", 100);
  for (const at of [108, 116]) head.write("0000000\0", at);
  head.write(`${content.length.toString(8).padStart(11, "0")}\0`, 124);
  head.write("00000000000\0", 136);
  head.write("        0", 148);
  head.write("ustar\x0000", 257);
  const sum = head.reduce((total, byte) => total + byte, 0);
  head.write(`${sum.toString(8).padStart(6, "0")}\0 `, 148);
  const body = Buffer.alloc(512);
  body.write(content);
  return Buffer.concat([head, body, Buffer.alloc(1024)]);
}
