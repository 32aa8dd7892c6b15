import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInTerminal } from "../support/terminal.ts";

// Requirement E16: what a daemon or a registry chooses to say cannot steer the user's terminal; logs and piped output stay as they are.
const folder = mkdtempSync(join(tmpdir(), "gantry-hostile-"));
const socket = join(folder, "d.sock");
const gantry = [process.execPath, join(import.meta.dir, "../../src/main.ts"), "-H", `unix://${socket}`];
/** Clears the screen, sets the title, turns the direction of writing. */
const evil = "evil\u001b[2J\u001b]0;title\u0007\u009b1m\u202e";
let server: Bun.Server<undefined>;

const hex = "ab".repeat(32);
const answers: Readonly<Record<string, unknown>> = {
  "GET /containers/json": [{ Id: hex, Names: [`/${evil}`], Image: evil, Command: evil, Status: evil, Labels: { a: evil } }],
  "GET /images/json": [{ Id: `sha256:${hex}`, RepoTags: [`${evil}:latest`], Created: 1, Size: 1 }],
  "GET /networks": [{ Id: hex, Name: evil, Driver: evil, Scope: "local" }],
  "GET /volumes": { Volumes: [{ Name: evil, Driver: evil }] },
  "GET /info": { Name: evil, Driver: evil, Warnings: [evil] },
  "GET /version": { Version: evil, Components: [{ Name: "Engine", Version: evil }] },
  "GET /containers/x/top": { Titles: ["PID", evil], Processes: [["1", evil]] },
  "GET /images/x/history": [{ Id: evil, Created: 1, CreatedBy: evil, Size: 1, Comment: evil }],
  "GET /system/df": { Containers: [{ Id: hex, Names: [`/${evil}`], Image: evil }], Volumes: [{ Name: evil }] },
  "POST /containers/prune": { ContainersDeleted: [evil], SpaceReclaimed: 1 },
  "POST /networks/create": { Id: evil, Warning: evil },
  "POST /volumes/create": { Name: evil },
  "GET /containers/x/json": {
    Id: hex,
    Config: { Tty: true },
    Name: evil,
    NetworkSettings: { Ports: { [`80/${evil}`]: [{ HostIp: evil, HostPort: "1" }] } },
  },
};
const streams: Readonly<Record<string, string>> = {
  "GET /events": `${JSON.stringify({ Type: evil, Action: evil, Actor: { ID: evil, Attributes: { name: evil } }, time: 1 })}\n`,
  "POST /images/create": [
    { status: evil, id: evil },
    { status: evil, id: evil, progressDetail: { current: 1, total: 2 } },
    { status: evil },
    { error: evil },
  ]
    .map((message) => `${JSON.stringify(message)}\n`)
    .join(""),
  // Not JSON as it should be: the control characters are there as they are.
  "GET /volumes/raw": `{"Name":"${evil}"}`,
  "GET /containers/x/logs": evil,
};

beforeAll(() => {
  server = Bun.serve({
    unix: socket,
    fetch: (request) => {
      const path = `${request.method} ${new URL(request.url).pathname.replace(/^\/v[\d.]+/, "")}`;
      if (path.endsWith("/_ping")) return new Response("OK", { headers: { "Api-Version": "1.51" } });
      if (path in streams) return new Response(streams[path]);
      return path in answers ? Response.json(answers[path]) : Response.json({ message: `no: ${evil}` }, { status: 404 });
    },
  });
});
afterAll(async () => {
  await server.stop(true);
  rmSync(folder, { recursive: true });
});

const lines = [
  "ps -a",
  "ps --no-trunc --format {{.Names}}",
  "ps --format json",
  "images",
  "network ls",
  "volume ls",
  "volume inspect raw",
  "container inspect -f {{.Name}} x",
  "info",
  "version",
  "top x",
  "history x",
  "history --no-trunc x",
  "system df -v",
  "container prune -f",
  "network create n",
  "volume create",
  "events",
  "pull nosuch",
  "volume inspect y",
  "rm y",
  "start y",
  "run y",
  "port x",
];

test.each(lines)("gantry %s", async (line) => {
  const terminal = await runInTerminal([...gantry, ...line.split(" ")], { columns: 200, rows: 30 });
  await terminal.exit();
  const text = terminal.text();
  expect(text).toContain("evil");
  // What is left are line ends, and the movements of our own progress bars.
  const ours = /\u001b\[(\d+[AB]|2K)/g;
  // eslint-disable-next-line no-control-regex -- control characters are what is looked for
  expect(text.replace(ours, "").match(/[\u0000-\u0008\u000b\u000c\u000e-\u001f\u007f-\u009f\u202a-\u202e]/g)).toBeNull();
});

test("logs are the program's own bytes", async () => {
  const terminal = await runInTerminal([...gantry, "logs", "x"], { columns: 80, rows: 30 });
  await terminal.exit();
  expect(terminal.text()).toContain("\u001b[2J");
});

test("what goes to a pipe stays as it is", async () => {
  const child = Bun.spawn([...gantry, "volume", "ls", "-q"], { stdout: "pipe", stderr: "ignore" });
  expect(await new Response(child.stdout).text()).toBe(`${evil}\n`);
});
