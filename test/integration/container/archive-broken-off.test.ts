import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync, readlinkSync } from "node:fs";
import { endClean, expectClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";
import { archive, member } from "../../../src/lib/tar/fixtures.ts";
import { Copies, entriesOf, messageOf } from "./archive-support.ts";

let daemon: TestDaemon;
let copies: Copies;

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
  copies = new Copies(daemon);
}, 60_000);
afterAll(async () => {
  await endClean(daemon);
}, 60_000);

const big = "dd if=/dev/zero of=/big bs=1M count=64 2>/dev/null";

/** A copy whose client reads nothing: its helper waits in the middle. */
async function stalled(id: string): Promise<{ readonly answer: Response; end(): void }> {
  const control = new AbortController();
  const answer = await copies.get(id, "/big", control.signal);
  expect(answer.status).toBe(200);
  expect(copies.helpers().length).toBeGreaterThan(0);
  return { answer, end: () => control.abort() };
}

/** What a copy holds, as far as it can be counted from outside. */
function held(): { readonly pipes: number; readonly mounts: number } {
  const mounts = readFileSync(`/proc/${daemon.pid}/mountinfo`, "latin1").split("\n");
  return {
    pipes: copies.descriptors().filter((name) => name.startsWith("pipe:")).length,
    mounts: mounts.filter((line) => line.includes(daemon.dataRoot)).length,
  };
}

test("a copy that its client breaks off leaves no process, descriptor, mount or lock (A13)", async () => {
  const id = await copies.run();
  await copies.shell(id, big);
  await copies.act(id, "kill");
  // Two that have ended well may wait for more.
  await (await copies.get(id, "/etc")).arrayBuffer();
  await until(() => copies.helpers().length <= 1);
  const before = held();
  for (let round = 0; round < 5; round++) {
    const out = await stalled(id);
    out.end();
    const control = new AbortController();
    const body = new ReadableStream({
      start: (controller) => controller.enqueue(new Uint8Array(1024)),
    });
    const into = copies.put(id, "/root", body, "", control.signal).catch(() => undefined);
    await Bun.sleep(50);
    control.abort();
    await into;
  }
  await until(() => copies.helpers().length <= 1);
  await until(() => held().pipes <= before.pipes && held().mounts <= before.mounts);
  await copies.act(id, "start");
  await copies.remove(id);
});

test("while a copy waits for its client, the container is stopped, started, and removed at once; the copy is whole", async () => {
  const id = await copies.run();
  await copies.shell(id, `${big}; echo before >/root/f`);
  await copies.act(id, "kill");
  const fromStopped = await stalled(id);
  const begun = performance.now();
  await copies.act(id, "start");
  expect(await copies.shell(id, "echo after >/root/f; cat /root/f")).toBe("after");
  const fromRunning = await stalled(id);
  await copies.remove(id);
  expect(performance.now() - begun).toBeLessThan(5000);
  for (const { answer } of [fromStopped, fromRunning]) expect((await entriesOf(answer)).get("big")?.entry.sizeBytes).toBe(64 << 20);
});

test("the process that copies has nothing of the container loaded, and stands on the host's own root (A12)", async () => {
  const id = await copies.run({ HostConfig: { Tmpfs: { "/t": "" } } });
  await copies.shell(id, big);
  const copy = await stalled(id);
  const { body } = await daemon.request("GET", `/containers/${id}/json`);
  const { Pid } = (body as { State: { Pid: number } }).State;
  for (const pid of copies.helpers()) {
    expect(readFileSync(`/proc/${pid}/maps`, "latin1")).not.toContain(daemon.dataRoot);
    expect(readlinkSync(`/proc/${pid}/root`)).toBe("/");
    expect(readlinkSync(`/proc/${pid}/ns/mnt`)).not.toBe(readlinkSync(`/proc/${Pid}/ns/mnt`));
  }
  copy.end();
  await copies.remove(id);
});

test("a process that copies and is killed breaks its copy off, and the next copy finds another", async () => {
  const id = await copies.run();
  await copies.shell(id, big);
  const copy = await stalled(id);
  for (const pid of copies.helpers()) process.kill(pid, "SIGKILL");
  expect(await copy.answer.arrayBuffer().catch(() => "broken off")).toBe("broken off");
  expect((await copies.entries(id, "/etc/passwd")).has("passwd")).toBe(true);
  for (const pid of copies.helpers()) process.kill(pid, "SIGKILL"); // one that waits for work
  expect((await copies.entries(id, "/etc/passwd")).has("passwd")).toBe(true);
  await copies.remove(id);
});

test("a full file system is told, and the container goes on", async () => {
  const id = await copies.run({ HostConfig: { Tmpfs: { "/t": "size=1m" } } });
  const answer = await copies.put(id, "/t", archive(member("f", {}, Buffer.alloc(4 << 20, "x"))));
  expect([answer.status, await messageOf(answer)]).toEqual([503, "no space left on device"]);
  expect(await copies.shell(id, "rm /t/f; echo fine >/t/g; cat /t/g")).toBe("fine");
  await copies.remove(id);
});

test("copies that race with starts, ends and removals end well or with a clear answer, and leave nothing", async () => {
  const round = async (): Promise<void> => {
    const id = await copies.create();
    const statuses: number[] = [];
    let isOver = false;
    const copying = async (copy: () => Promise<Response>): Promise<void> => {
      while (!isOver) {
        const answer = await copy();
        statuses.push(answer.status);
        await answer.arrayBuffer();
      }
    };
    const all = [
      copying(() => copies.get(id, "/etc")),
      copying(() => copies.put(id, "/root", archive(member("f", {}, "x")))),
      copying(() => copies.export(id)),
    ];
    await copies.act(id, "start");
    await copies.act(id, "kill");
    await copies.act(id, "start");
    await copies.remove(id);
    isOver = true;
    await Promise.all(all);
    expect(statuses.filter((status) => status !== 200 && status !== 404)).toEqual([]);
  };
  for (let rounds = 0; rounds < 5; rounds++) await Promise.all([round(), round()]);
  await expectClean(daemon);
}, 60_000);

test("a daemon that is killed in the middle of copies leaves nothing of them (A13)", async () => {
  const id = await copies.run();
  await copies.shell(id, big);
  const other = await copies.create();
  await copies.act(id, "kill");
  const copy = await stalled(id);
  void copies
    .put(other, "/root", new ReadableStream({ start: (controller) => controller.enqueue(new Uint8Array(1024)) }))
    .catch(() => undefined);
  await until(() => copies.helpers().length >= 2);
  const helpers = copies.helpers();
  await daemon.kill();
  copy.end();
  await until(() => helpers.every((pid) => isGone(pid)));
  await daemon.start();
  expect(held().mounts).toBeLessThanOrEqual(2); // the image's layer, and none of the containers
  await copies.act(id, "start");
  expect((await copies.entries(id, "/big")).get("big")?.entry.sizeBytes).toBe(64 << 20);
  for (const container of [id, other]) await copies.remove(container);
}, 30_000);

test("a daemon that is told to end does not wait for the clients of copies, and gives everything back (A13)", async () => {
  const id = await copies.run();
  await copies.shell(id, big);
  await copies.act(id, "kill");
  const copy = await stalled(id);
  const begun = performance.now();
  await daemon.stop();
  expect(performance.now() - begun).toBeLessThan(5000);
  expect(readFileSync("/proc/self/mountinfo", "latin1")).not.toContain(`${daemon.dataRoot}/containers`);
  copy.end();
  await daemon.start();
  await copies.remove(id);
}, 30_000);

function isGone(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`).length === 0;
  } catch {
    return true;
  }
}
