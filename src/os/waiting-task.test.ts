import { test } from "bun:test";
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
