import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bootstrapImage } from "../../../src/helper/bootstrap/bootstrap.ts";
import { expectClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";

const main = join(import.meta.dir, "../../../src/main.ts");
const folder = mkdtempSync(join(tmpdir(), "gantry-bootstrap-test-"));
afterAll(() => rmSync(folder, { recursive: true }));
const reachable = aptIsReachable();
if (!reachable) console.log("skipped: apt cannot download packages here");

describe.skipIf(!reachable)("gantry image bootstrap busybox", () => {
  let daemon: TestDaemon;
  beforeAll(async () => void (daemon = await startDaemon()));
  afterAll(async () => daemon[Symbol.asyncDispose]());

  const gantry = async (...args: readonly string[]): Promise<{ stdout: string; stderr: string; code: number }> => {
    const child = Bun.spawn([process.execPath, main, "-H", daemon.host, ...args], { stdio: ["ignore", "pipe", "pipe"] });
    const [stdout, stderr, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
    return { stdout, stderr, code };
  };

  test("makes the same bytes twice", async () => {
    const digests = [];
    for (const output of [join(folder, "first.tar"), join(folder, "second.tar")]) {
      expect(await bootstrapImage("busybox", { output })).toEqual({ reference: "busybox:latest" });
      digests.push(new Bun.CryptoHasher("sha256").update(await Bun.file(output).bytes()).digest("hex"));
    }
    expect(digests[0]).toBe(digests[1] ?? "");
  });

  test("gives the daemon an image whose containers have a shell, tools and a writable /tmp", async () => {
    expect(await gantry("image", "bootstrap", "--quiet", "busybox")).toEqual({
      stdout: "Loaded image: busybox:latest\n",
      stderr: "",
      code: 0,
    });
    const script = "id -u; /usr/bin/env true && stat -c %a /tmp /root && grep -c nobody /etc/passwd";
    expect((await gantry("run", "--rm", "busybox", "sh", "-c", script)).stdout).toBe("0\n1777\n700\n1\n");
    expect((await gantry("image", "inspect", "--format", "{{json .Config.Cmd}}", "busybox")).stdout).toBe('["sh"]\n');
  });

  test("leaves records and host in agreement", () => expectClean(daemon));
});

test("another name is refused, and nothing is left of the attempt", async () => {
  const before = readdirSync(tmpdir()).filter((name) => name.startsWith("gantry-bootstrap-"));
  expect(bootstrapImage("alpine", { output: join(folder, "none.tar") })).rejects.toThrow("use busybox, debian:SUITE or ubuntu:SUITE");
  expect(bootstrapImage("debian:../etc", { output: join(folder, "none.tar") })).rejects.toThrow("invalid suite");
  await Promise.resolve();
  expect(readdirSync(tmpdir()).filter((name) => name.startsWith("gantry-bootstrap-"))).toEqual(before);
});

function aptIsReachable(): boolean {
  const probe = mkdtempSync(join(folder, "probe-"));
  return Bun.spawnSync(["apt-get", "-o", "APT::Sandbox::User=root", "download", "-q", "busybox-static"], { cwd: probe }).exitCode === 0;
}
