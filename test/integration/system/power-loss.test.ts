import { afterAll, beforeAll, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { auditInstance } from "../../../src/helper/audit/audit.ts";
import { killDescendants } from "../../../src/os/process/tree.ts";
import { expectClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { dockerArchive, image } from "../image/fixtures.ts";
import { Disk } from "./disk.ts";

const disk = new Disk();
let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);

beforeAll(async () => {
  daemon = await startDaemon({ dataRoot: join(disk.path, "data") });
});
afterAll(async () => {
  await expectClean(daemon);
  await daemon[Symbol.asyncDispose]();
  disk[Symbol.dispose]();
});

/** The power goes at once: whatever has been answered must be there, whatever is there must be whole. */
async function losePower(): Promise<void> {
  const copy = disk.now();
  await daemon.kill();
  for (const pid of pidsThatName(daemon.execRoot)) {
    killDescendants(pid);
    process.kill(pid, "SIGKILL");
  }
  for (const { target } of mountsBelow(disk.path)) Bun.spawnSync(["umount", target]);
  disk.loseSince(copy);
  await daemon.start();
}

/** Monitors: also of a container that was made ahead of its start, and waits. */
function pidsThatName(folder: string): number[] {
  const pids = readdirSync("/proc").filter((entry) => /^\d+$/.test(entry));
  return pids.map(Number).filter((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8").includes(`${folder}/`);
    } catch {
      return false; // gone meanwhile
    }
  });
}

function mountsBelow(folder: string): { readonly target: string }[] {
  const lines = Bun.spawnSync(["findmnt", "-rno", "TARGET"]).stdout.toString().split("\n");
  return lines
    .filter((target) => target.startsWith(`${folder}/`))
    .map((target) => ({ target }))
    .reverse();
}

test("an image is whole after a power loss at the moment its load was answered (F13)", async () => {
  await loadBusybox(daemon);
  await losePower();
  expect((await cli("run", "--rm", "--network", "none", busybox, "echo", "whole")).stdout).toBe("whole\n");
  expect(await auditInstance({ dataRoot: daemon.dataRoot, execRoot: daemon.execRoot, deep: true, tell: () => {} })).toEqual([]);
}, 60_000);

test("containers, names, volumes, networks and tags are there after a power loss at the moment they were answered (F13)", async () => {
  await daemon.request("POST", "/containers/create?name=before", { Image: busybox, HostConfig: { NetworkMode: "none" } });
  await daemon.request("POST", "/containers/before/rename?name=after");
  await daemon.request("POST", "/volumes/create", { Name: "kept" });
  await daemon.request("POST", "/networks/create", { Name: "net" });
  await daemon.request("POST", `/images/${busybox}/tag?repo=other&tag=1`);
  await losePower();
  expect((await cli("ps", "-a", "--format", "{{.Names}}")).stdout).toBe("after\n");
  expect((await cli("volume", "ls", "-q")).stdout).toBe("kept\n");
  expect((await cli("network", "inspect", "net", "--format", "{{.Name}}")).stdout).toBe("net\n");
  expect((await cli("images", "-q", "other:1")).stdout).not.toBe("");
  expect(await cli("start", "-a", "after")).toMatchObject({ code: 0, stderr: "" });
}, 60_000);

test("what was removed does not come back, and a load cut off by a power loss leaves no half image (F13)", async () => {
  await cli("rm", "after");
  await losePower();
  expect((await cli("ps", "-aq")).stdout).toBe("");
  const made = image([{ "large/": "", "large/file": crypto.getRandomValues(new Uint8Array(60_000)) }, { second: "x" }]);
  const loading = fetch("http://d/images/load", { unix: daemon.socket, method: "POST", body: dockerArchive(made, ["cut:1"]) });
  await (await loading).body?.getReader().read();
  await losePower();
  const found = (await cli("images", "-q", "cut:1")).stdout !== "";
  expect(await auditInstance({ dataRoot: daemon.dataRoot, execRoot: daemon.execRoot, deep: true, tell: () => {} })).toEqual([]);
  if (found) expect((await cli("create", "--name", "cut", "cut:1", "true")).code).toBe(0);
  await cli("rm", "-f", "cut");
}, 60_000);
