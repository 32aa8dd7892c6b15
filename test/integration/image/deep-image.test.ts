import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { dockerArchive, image, type Files } from "./fixtures.ts";

let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);
const layerCount = 127;

/** Every layer has a file of its own and one that all have. */
function deepImage(): Uint8Array {
  const busybox = readFileSync(Bun.which("busybox", { PATH: "/bin:/usr/bin" }) ?? "/bin/busybox");
  const base: Files = { "bin/": "", "bin/busybox": busybox, "bin/sh": { link: "busybox" }, "etc/": "", "layers/": "", "layers/all": "0" };
  const above = Array.from({ length: layerCount - 1 }, (_, index): Files => {
    const number = String(index + 1);
    return { [`layers/${number}`]: number, "layers/all": number };
  });
  return dockerArchive(image([base, ...above], { compress: "none" }), ["deep:latest"]);
}

beforeAll(async () => {
  daemon = await startDaemon();
  const headers = { "Content-Type": "application/x-tar" };
  const body = Uint8Array.from(deepImage());
  const response = await fetch("http://d/images/load?quiet=1", { unix: daemon.socket, method: "POST", body, headers });
  expect(await response.text()).toContain("Loaded image: deep:latest");
}, 120_000);
afterAll(async () => {
  await endClean(daemon);
});

test("an image of 127 layers runs, whatever the kernel's way to take them, and stays whole over a kill of the daemon", async () => {
  const script = "cd /layers; cat all; /bin/busybox ls | /bin/busybox wc -l";
  const { stdout, stderr } = await cli("run", "--rm", "--network", "none", "deep", "sh", "-c", script);
  expect({ stdout, stderr }).toEqual({ stdout: `${layerCount - 1}${layerCount}\n`, stderr: "" });

  await cli("run", "-d", "--name", "deep", "--network", "none", "--stop-signal", "KILL", "deep", "/bin/busybox", "sleep", "1000");
  await daemon.kill();
  await daemon.start();
  expect((await cli("exec", "deep", "sh", "-c", script)).stdout).toBe(`${layerCount - 1}${layerCount}\n`);
  expect((await cli("exec", "deep", "sh", "-c", "echo new > /new")).code).toBe(0);
  expect((await cli("diff", "deep")).stdout).toBe("A /new\n");
  expect((await cli("rmi", "deep")).stderr).toContain("is using");
  expect((await cli("rm", "-f", "deep")).code).toBe(0);
  expect((await cli("rmi", "deep")).code).toBe(0);
}, 120_000);
