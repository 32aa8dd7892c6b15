import { afterAll, beforeAll, expect, test } from "bun:test";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";

let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  await endClean(daemon);
});

test("an image removed by force leaves its layers to the containers that stand on them", async () => {
  await cli("create", "--name", "stands", "--network", "none", busybox, "echo", "still here");
  const id = (await cli("images", "-q", busybox)).stdout.trim();
  expect((await cli("rmi", id)).stderr).toContain("(must be forced) - image is being used by stopped container");
  expect((await cli("rmi", "-f", id)).code).toBe(0);
  expect((await cli("images", "-q")).stdout).toBe("");
  expect((await cli("start", "-a", "stands")).stdout).toBe("still here\n");
  await cli("rm", "stands");
  await loadBusybox(daemon);
  expect((await cli("run", "--rm", "--network", "none", busybox, "echo", "again")).stdout).toBe("again\n");
});

test("a tag is taken away alone while the image has another", async () => {
  await cli("tag", busybox, "other/name:1");
  expect((await cli("rmi", "other/name:1")).stdout).toBe("Untagged: other/name:1\n");
  expect((await cli("images", "-q")).stdout.trim()).not.toBe("");
});

test("an image of a running container is protected", async () => {
  await cli("run", "-d", "--name", "runs", "--network", "none", busybox, "sleep", "1000");
  expect((await cli("rmi", busybox)).stderr).toMatch(
    /conflict: unable to remove repository reference "busybox:latest" \(must be forced\) - container [0-9a-f]{12} is using its referenced image [0-9a-f]{12}/,
  );
  await cli("rm", "-f", "runs");
});
