import { afterAll, beforeAll, expect, test } from "bun:test";
import { writeFileSync } from "node:fs";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { scratchFolder } from "../../support/scratch-folder.ts";
import { until } from "../../support/until.ts";
import { TextReceiver } from "./receivers.ts";

let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(() => endClean(daemon));

/** What collectors such as logspout do: follow every container that is there or starts, and send its lines on. */
const collector = `
const socket = "/var/run/docker.sock";
const get = (path) => fetch("http://d" + path, { unix: socket });
let server;
await new Promise((resolve) => Bun.connect({ hostname: "127.0.0.1", port: Number(process.argv[2]), socket: { open(s) { server = s; resolve(); }, data() {} } }));
async function follow(id) {
  const name = (await (await get("/containers/" + id + "/json")).json()).Name.slice(1);
  if (name === "collector") return;
  let rest = Buffer.alloc(0);
  for await (const piece of (await get("/containers/" + id + "/logs?stdout=1&stderr=1&follow=1")).body) {
    rest = Buffer.concat([rest, piece]);
    while (rest.length >= 8 && rest.length >= 8 + rest.readUInt32BE(4)) {
      const end = 8 + rest.readUInt32BE(4);
      server.write("<" + (rest[0] === 2 ? 27 : 30) + ">" + name + ": " + rest.toString("utf8", 8, end));
      rest = rest.subarray(end);
    }
  }
}
const events = await get('/events?filters={"type":["container"],"event":["start"]}');
for (const { Id } of await (await get("/containers/json")).json()) void follow(Id);
const lines = new TextDecoder();
for await (const piece of events.body)
  for (const line of lines.decode(piece, { stream: true }).split("\\n").filter(Boolean)) void follow(JSON.parse(line).Actor.ID);
`;

test("a collector in a container reads the logs of all others by the API (LOG-12)", async () => {
  await using server = await new TextReceiver("\n").start();
  const folder = scratchFolder("collector");
  writeFileSync(`${folder}/collector.js`, collector);
  await cli("run", "-d", "--name", "before", "--network", "none", busybox, "sh", "-c", "echo first; sleep 1000");
  const mounts = [
    `${daemon.socket}:/var/run/docker.sock`,
    `${folder}:/collector`,
    `${process.execPath}:/bun`,
    "/usr/lib:/usr/lib:ro",
    "/lib:/lib:ro",
    "/lib64:/lib64:ro",
  ];
  const volumes = mounts.flatMap((mount) => ["-v", mount]);
  const command = [busybox, "/bun", "/collector/collector.js", String(server.port)];
  expect((await cli("run", "-d", "--name", "collector", "--network", "host", ...volumes, ...command)).stderr).toBe("");
  await until(() => server.texts.includes("<30>before: first"));
  await cli(
    "run",
    "--name",
    "after",
    "--network",
    "none",
    "--log-driver",
    "local",
    busybox,
    "sh",
    "-c",
    "echo one; sleep 0.1; echo two >&2; sleep 1",
  );
  await until(() => server.texts.length >= 3);
  expect(server.texts.slice(1)).toEqual(["<30>after: one", "<27>after: two"]);
  await cli("rm", "-f", "before", "after", "collector");
}, 60_000);
