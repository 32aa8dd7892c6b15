import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";

/** Open to all, so that what the daemon makes in it has to close itself. */
const folder = mkdtempSync(join(tmpdir(), "gantry-closed-"));
let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);

beforeAll(async () => {
  chmodSync(folder, 0o755);
  daemon = await startDaemon({ dataRoot: join(folder, "data") });
  await loadBusybox(daemon);
  const started = await cli(
    "run",
    "-d",
    "--name",
    "secret",
    "-v",
    "kept:/data",
    "-e",
    "PASSWORD=geheim",
    busybox,
    "sh",
    "-c",
    "echo geheim; sleep 1000",
  );
  expect(started.code).toBe(0);
  expect((await cli("exec", "secret", "sh", "-c", "echo geheim > /data/file; echo geheim > /file")).code).toBe(0);
});
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  rmSync(folder, { recursive: true, force: true });
});

/** Paths, of those that root sees, that a user without any rights can read or, for folders, list. */
function readableByOthers(root: string): string[] {
  const found = Bun.spawnSync(["find", root, "-xdev", "(", "-type", "f", "-o", "-type", "d", ")"]).stdout;
  const script = 'while read -r path; do if [ -r "$path" ]; then echo "$path"; fi; done';
  const others = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", "sh", "-c", script];
  return Bun.spawnSync(others, { stdin: found }).stdout.toString().split("\n").filter(Boolean);
}

test("nobody but root reads anything of the data root: records, logs, layers, volumes (E12)", () => {
  expect(statSync(daemon.dataRoot).mode & 0o007).toBe(0);
  expect(readableByOthers(daemon.dataRoot)).toEqual([]);
  // Also when the data root is opened by mistake; volumes have the modes that containers give them.
  chmodSync(daemon.dataRoot, 0o755);
  const open = readableByOthers(daemon.dataRoot).map((path) => path.slice(daemon.dataRoot.length));
  expect(open.filter((path) => path !== "" && !path.startsWith("/volumes"))).toEqual([]);
});

test("the exec root gives away the pid, the runtime's program and names of network namespaces, and no more (E12)", () => {
  const open = readableByOthers(daemon.execRoot).map((path) => path.slice(daemon.execRoot.length));
  expect(open.filter((path) => !["", "/gantry.pid", "/crun"].includes(path) && !path.startsWith("/netns/"))).toEqual([]);
});

test("a data root that was open is closed at the next start (E12)", async () => {
  chmodSync(daemon.dataRoot, 0o777);
  await daemon.stop();
  await daemon.start();
  expect(statSync(daemon.dataRoot).mode & 0o777).toBe(0o770);
  expect(readableByOthers(daemon.dataRoot)).toEqual([]);
});
