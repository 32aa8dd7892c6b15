import { expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import { processStartTicks } from "./process/identity.ts";
import { allPids, commandLine } from "./process/list.ts";

const program = `
  import { makeNamespaces } from "${import.meta.dir}/user-namespace.ts";
  const range = [{ containerId: 0, hostId: 100000, size: 1000 }];
  for (;;) { const made = makeNamespaces({ uids: range, gids: range }, { network: false }); made[Symbol.dispose](); console.log(1); }
`;

test("nothing stays of a process that is killed while it makes namespaces", async () => {
  for (let round = 0; round < 8; round++) {
    const child = Bun.spawn([process.execPath, "-e", program], { stdout: "pipe", stderr: "inherit" });
    const reader = child.stdout.getReader();
    await reader.read();
    await Bun.sleep(round);
    child.kill("SIGKILL");
    await child.exited;
    // A task that kept the descriptors would keep this end of the pipe open, and no end would ever be read.
    for (let part = await reader.read(); !part.done; part = await reader.read());
    while (allPids().some((pid) => commandLine(pid).includes(program))) await Bun.sleep(5);
  }
}, 30_000);

const holder = `
  import { startWaitingTask } from "${import.meta.dir}/waiting-task.ts";
  console.log(startWaitingTask(0x10000000 /* CLONE_NEWUSER */));
  setInterval(() => {}, 1000);
`;

/** Source: asm/unistd_64.h, asm-generic/unistd.h. */
const SYS_nanosleep = process.arch === "x64" ? 35 : 101;
const lifeMilliseconds = 10_000;

test("a waiting task has nothing open, sleeps, and ends with the process that has made it", async () => {
  const child = Bun.spawn([process.execPath, "-e", holder], { stdout: "pipe", stderr: "inherit" });
  const { value } = await child.stdout.getReader().read();
  const pid = Number(Buffer.from(value ?? []).toString());
  expect(pid).toBeGreaterThan(1);
  const systemCall = (): number => Number(readFileSync(`/proc/${pid}/syscall`, "utf8").split(" ")[0]);
  while (systemCall() !== SYS_nanosleep) await Bun.sleep(5); // machine code that is wrong ends the task, and the file with it
  expect(readdirSync(`/proc/${pid}/fd`)).toEqual([]);
  const killedAt = performance.now();
  child.kill("SIGKILL");
  await child.exited;
  while (processStartTicks(pid) !== undefined) await Bun.sleep(5);
  expect(performance.now() - killedAt).toBeLessThan(lifeMilliseconds / 2); // by itself it would have slept on
}, 30_000);
