import { afterAll, beforeAll, expect, test } from "bun:test";
import net from "node:net";
import { endClean } from "../support/audit.ts";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { busybox, loadBusybox } from "../support/images.ts";
import { scratchFolder } from "../support/scratch-folder.ts";

let daemon: TestDaemon;
let relay: net.Server;
const socket = `${scratchFolder("relay", afterAll)}/engine.sock`;

/** A way to the daemon on which the answer to a start takes its time, as that of a busy daemon does. */
function slowStarts(): net.Server {
  return net.createServer({ allowHalfOpen: true }, (client) => {
    const upstream = net.connect({ path: daemon.socket, allowHalfOpen: true });
    let isStart = false;
    client.on("data", (chunk) => {
      isStart ||= /^POST \S+\/start /.test(chunk.toString("latin1"));
      upstream.write(chunk);
    });
    client.on("end", () => upstream.end());
    upstream.on("data", (chunk) => void (isStart ? setTimeout(() => client.write(chunk), 2000) : client.write(chunk)));
    upstream.on("end", () => setTimeout(() => client.end(), isStart ? 2100 : 0));
    for (const end of [client, upstream]) end.on("error", () => [client, upstream].forEach((one) => one.destroy()));
  });
}

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
  relay = slowStarts();
  await new Promise<void>((resolve) => relay.listen(socket, resolve));
});
afterAll(async () => {
  relay.close();
  await endClean(daemon);
});

test("RUN-07: a Ctrl-C that follows the first output reaches the program, though the start is not answered yet", async () => {
  const program = 'trap "echo caught; exit 7" INT; echo ready; while :; do sleep 0.1; done';
  const client = Bun.spawn(
    [process.execPath, "src/main.ts", "-H", `unix://${socket}`, "run", "--name", "early", busybox, "sh", "-c", program],
    { stdin: "ignore", stdout: "pipe", stderr: "inherit" },
  );
  let output = "";
  const decoder = new TextDecoder();
  for await (const chunk of client.stdout) {
    if (output === "") client.kill("SIGINT");
    output += decoder.decode(chunk);
  }
  expect([output, await client.exited]).toEqual(["ready\ncaught\n", 7]);
}, 30_000);
