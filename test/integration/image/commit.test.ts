import { afterAll, beforeAll, expect, test } from "bun:test";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { lendSubordinateIds, remapUsers } from "../../support/subordinate-ids.ts";

let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);
const inspect = async (name: string) => JSON.parse((await cli("image", "inspect", "-f", "{{json .}}", name)).stdout);
const layersOf = async (name: string): Promise<string[]> => (await inspect(name)).RootFS.Layers;

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  await endClean(daemon);
});

test("IMG-36: what a container has changed is in the image, and nothing else", async () => {
  await cli("run", "--name", "one", "--network", "none", "-v", "/vol", busybox, "sh", "-c", "echo hi >/f; rm /bin/ar; echo x >/vol/x");
  expect((await cli("commit", "-m", "about", "-a", "me", "one", "made:one")).stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
  const shown = (await cli("run", "--rm", "--network", "none", "made:one", "sh", "-c", "cat /f; ls /bin/ar; ls /vol")).stdout;
  expect(shown).toBe("hi\n");
  const [, layer = ""] = await layersOf("made:one");
  const tar = Bun.spawnSync(["tar", "tf", `${daemon.dataRoot}/layers/tars/${layer.slice(7)}`]).stdout.toString();
  expect(tar.trim().split("\n")).toEqual(["bin/", "bin/.wh.ar", "f", "vol/"]);
  expect(await inspect("made:one")).toMatchObject({ Author: "me", Comment: "about", Parent: (await inspect(busybox)).Id });
  expect((await cli("history", "-q", "--no-trunc", "made:one")).stdout).toBe(
    `${(await inspect("made:one")).Id}\n${(await inspect(busybox)).Id}\n`,
  );
  await cli("rm", "-v", "one");
});

test("a container that has changed nothing gives an image of the same layers, started or not", async () => {
  await cli("create", "--name", "new", busybox, "true");
  await cli("run", "--name", "ran", busybox, "true");
  for (const name of ["new", "ran"]) {
    await cli("commit", "-c", "ENV A=1", name, "made:same");
    expect(await layersOf("made:same")).toEqual(await layersOf(busybox));
    expect((await inspect("made:same")).Config.Env).toContain("A=1");
  }
  await cli("rm", "new", "ran");
});

test("an unchanged folder is left out though the daemon has files in it, a changed one is not", async () => {
  await cli("run", "--name", "mode", busybox, "chmod", "700", "/etc");
  await cli("commit", "mode", "made:mode");
  expect(await layersOf("made:mode")).toHaveLength((await layersOf(busybox)).length + 1);
  expect((await cli("run", "--rm", "made:mode", "stat", "-c", "%a", "/etc")).stdout).toBe("700\n");
  await cli("rm", "mode");
});

test("a running container is frozen meanwhile unless that is not wanted, and runs afterwards", async () => {
  await cli("run", "-d", "--name", "runs", busybox, "sleep", "1000");
  const since = String(Date.now() / 1000);
  await cli("commit", "runs", "made:paused");
  await cli("commit", "-p=false", "runs", "made:running");
  const events = await cli("events", "--since", since, "--until", String(Date.now() / 1000), "--format", "{{.Type}} {{.Action}}");
  expect(events.stdout.trim().split("\n")).toEqual([
    ...["container pause", "image create", "image tag", "container commit", "container unpause"],
    ...["image create", "image tag", "container commit"],
  ]);
  expect((await cli("inspect", "-f", "{{.State.Status}}", "runs")).stdout).toBe("running\n");
  await cli("rm", "-f", "runs");
});

test("commits of one container at a time all come to their end, and it runs", async () => {
  await cli("run", "-d", "--name", "many", busybox, "sleep", "1000");
  const done = await Promise.all([1, 2, 3].map((round) => cli("commit", "many", `made:many${round}`)));
  expect(done.map(({ code }) => code)).toEqual([0, 0, 0]);
  expect((await cli("inspect", "-f", "{{.State.Status}}", "many")).stdout).toBe("running\n");
  await cli("rm", "-f", "many");
});

test("an image that others were made from goes with the last of them", async () => {
  await cli("tag", busybox, "base:1");
  await cli("create", "--name", "child", "base:1", "true");
  await cli("commit", "-c", "LABEL level=1", "child", "level:1");
  await cli("rm", "child");
  await cli("create", "--name", "child", "level:1", "true");
  await cli("commit", "-c", "LABEL level=2", "child", "level:2");
  await cli("rm", "child");
  const parent = (await inspect("level:1")).Id as string;
  expect((await cli("rmi", parent)).stderr).toContain(
    `conflict: unable to delete ${parent.slice(7, 19)} (cannot be forced) - image has dependent child images`,
  );
  expect((await cli("rmi", "level:1")).stdout).toBe("Untagged: level:1\n");
  expect((await cli("images", "-q", "--no-trunc")).stdout).not.toContain(parent);
  expect((await cli("images", "-aq", "--no-trunc")).stdout).toContain(parent);
  expect((await daemon.request("GET", "/system/df")).text).not.toContain(`"Id":"${parent}"`);
  await cli("image", "prune", "-f");
  expect((await cli("images", "-aq", "--no-trunc")).stdout).toContain(parent);
  expect((await cli("rmi", "level:2")).stdout).toContain(`Deleted: ${parent}\n`);
  await cli("rmi", "base:1");
  expect((await cli("images", "-q", busybox)).stdout).not.toBe("");
});

test("a container of limited size is committed whether it runs or not", async () => {
  await cli("run", "-d", "--name", "sized", "--storage-opt", "size=30M", busybox, "sh", "-c", "echo hi >/f; sleep 1000");
  for (const state of ["running", "stopped"]) {
    if (state === "stopped") await cli("kill", "sized");
    expect((await cli("commit", "sized", "made:sized")).code).toBe(0);
    expect((await cli("run", "--rm", "made:sized", "cat", "/f")).stdout).toBe("hi\n");
  }
  await cli("rm", "-f", "sized");
});

test("a removal during a commit gives a whole image or none", async () => {
  for (const delayMilliseconds of [0, 30, 80, 160]) {
    await cli("run", "--name", "going", busybox, "sh", "-c", "for i in $(seq 500); do echo $i >/f$i; done");
    const committing = cli("commit", "going", "made:going");
    await Bun.sleep(delayMilliseconds);
    await cli("rm", "-f", "going");
    const { code, stderr } = await committing;
    if (code === 0) expect((await cli("run", "--rm", "made:going", "sh", "-c", "ls /f* | wc -l")).stdout).toBe("500\n");
    else expect(stderr).toMatch(/No such container|being removed/);
    await cli("rmi", "made:going");
  }
}, 30_000);

test("bad commits are refused, and leave nothing", async () => {
  await cli("create", "--name", "bad", busybox, "true");
  const images = (await cli("images", "-aq")).stdout;
  expect((await cli("commit", "-c", "RUN x", "bad")).stderr).toContain("RUN is not a valid change command");
  expect((await daemon.request("POST", "/commit?container=bad&repo=UPPER")).status).toBe(400);
  expect((await daemon.request("POST", "/commit?container=nobody")).status).toBe(404);
  expect((await daemon.request("POST", "/commit?container=bad&repo=sha256&tag=abc")).status).toBe(400);
  expect((await cli("images", "-aq")).stdout).toBe(images);
  await cli("rm", "bad");
});

test("F1: a kill during a commit leaves no half image, and the container runs", async () => {
  await cli("run", "-d", "--name", "killed", busybox, "sh", "-c", "dd if=/dev/urandom of=/big bs=1M count=64; sleep 1000");
  for (let size = ""; size !== "67108864\n";) size = (await cli("exec", "killed", "stat", "-c", "%s", "/big")).stdout;
  for (const delayMilliseconds of [20, 100, 250]) {
    const committing = cli("commit", "killed", "made:killed");
    await Bun.sleep(delayMilliseconds);
    await daemon.kill();
    await committing;
    await daemon.start();
    expect((await cli("inspect", "-f", "{{.State.Status}}", "killed")).stdout).toBe("running\n");
    if ((await cli("images", "-q", "made:killed")).stdout !== "") {
      expect((await cli("run", "--rm", "made:killed", "stat", "-c", "%s", "/big")).stdout).toBe("67108864\n");
      await cli("rmi", "made:killed");
    }
  }
  await cli("rm", "-f", "killed");
}, 60_000);

test("D11: an image of a container with a user namespace has the container's ids", async () => {
  using _ids = lendSubordinateIds();
  const mapped = await startDaemon({ args: ["--userns-remap", remapUsers.one] });
  try {
    await loadBusybox(mapped);
    await docker(mapped.host, "run", "--name", "owner", "--network", "none", busybox, "sh", "-c", "echo hi >/f; chown 7:8 /f; echo hi >/g");
    expect((await docker(mapped.host, "commit", "owner", "made:owner")).code).toBe(0);
    const seen = await docker(mapped.host, "run", "--rm", "--network", "none", "made:owner", "stat", "-c", "%u:%g", "/f", "/g");
    expect(seen.stdout).toBe("7:8\n0:0\n");
    const layer = (await docker(mapped.host, "image", "inspect", "-f", "{{index .RootFS.Layers 1}}", "made:owner")).stdout.trim();
    const tar = Bun.spawnSync(["tar", "tvf", `${mapped.dataRoot}/layers/tars/${layer.slice(7)}`, "--numeric-owner"]).stdout.toString();
    expect(tar).toMatch(/ 7\/8 .* f\n.* 0\/0 .* g\n$/);
  } finally {
    await endClean(mapped);
  }
}, 30_000);
