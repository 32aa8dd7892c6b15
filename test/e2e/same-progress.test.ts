import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { runInTerminal } from "../support/terminal.ts";
import { dockerProgram, ourDocker, removeClients } from "./two-clients.ts";

// A pull and a load as a daemon tells of them, shown by both clients: byte for byte the same, on wide and narrow terminals and in a pipe.
const folder = mkdtempSync(join(tmpdir(), "gantry-progress-"));
const socket = join(folder, "d.sock");
const host = `unix://${socket}`;
let server: Bun.Server<undefined>;

const layer = (id: string, status: string, current?: number, total?: number, more: object = {}) => ({
  id,
  status,
  progressDetail: current === undefined ? {} : { current, ...(total === undefined ? {} : { total }), ...more },
});
const pull = [
  { status: "Pulling from library/app", id: "1.0" },
  layer("aaa", "Pulling fs layer"),
  layer("bbb", "Pulling fs layer"),
  layer("ccc", "Already exists"),
  layer("bbb", "Waiting"),
  layer("aaa", "Downloading", 1, 3_000_000),
  layer("aaa", "Downloading", 1_500_000, 3_000_000),
  layer("bbb", "Downloading", 12_345),
  layer("aaa", "Downloading", 3_000_000, 3_000_000),
  layer("aaa", "Verifying Checksum"),
  layer("aaa", "Download complete"),
  layer("bbb", "Downloading", 20_000, 10_000),
  layer("aaa", "Extracting", 1, 7, { units: "s" }),
  layer("aaa", "Extracting", 65_536, 3_000_000),
  layer("bbb", "Extracting", 5, 10, { hidecounts: true }),
  layer("aaa", "Pull complete"),
  layer("bbb", "Pull complete"),
  { status: `Digest: sha256:${"ab".repeat(32)}` },
  { status: "Status: Downloaded newer image for app:1.0" },
];
const load = [
  layer("aaa", "Loading layer", 32_768, 4_000_000),
  layer("aaa", "Loading layer", 4_000_000, 4_000_000),
  { stream: "Loaded image: app:1.0\n" },
];
const failing = [
  layer("aaa", "Pulling fs layer"),
  { errorDetail: { message: "no space left on device" }, error: "no space left on device" },
];
const lines = (messages: readonly object[]): string => messages.map((message) => `${JSON.stringify(message)}\r\n`).join("");

beforeAll(() => {
  server = Bun.serve({
    unix: socket,
    fetch: async (request) => {
      const { pathname, searchParams } = new URL(request.url);
      if (pathname === "/_ping") return new Response("OK", { headers: { "Api-Version": "1.50", Ostype: "linux" } });
      await request.arrayBuffer();
      const headers = { "Content-Type": "application/json" };
      if (pathname.endsWith("/images/load")) return new Response(lines(load), { headers });
      if (searchParams.get("fromImage")?.endsWith("failing")) return new Response(lines(failing), { headers });
      return new Response(lines(pull), { headers });
    },
  });
});
afterAll(async () => {
  await server.stop(true);
  removeClients();
  rmSync(folder, { recursive: true });
});

describe.skipIf(dockerProgram === undefined)("beside Docker's client (skipped: docker 28 is not installed)", () => {
  const commands = [
    "pull app:1.0",
    "pull -q app:1.0",
    "pull failing",
    "pull app",
    `load -i ${import.meta.path}`,
    `load -q -i ${import.meta.path}`,
  ];

  for (const columns of [200, 100, 60])
    test.each(commands)(`on a terminal of ${columns} columns: %s`, async (line) => {
      const seen = async (program: string) => {
        const terminal = await runInTerminal([program, "-H", host, ...line.split(" ")], { columns, rows: 30 });
        const code = await terminal.exit();
        return { text: terminal.text(), code };
      };
      expect(await seen(ourDocker)).toEqual(await seen(dockerProgram ?? ""));
    });

  test.each(commands)("in a pipe: %s", async (line) => {
    const seen = async (program: string) => {
      const child = Bun.spawn([program, "-H", host, ...line.split(" ")], { stdin: "ignore", stdout: "pipe", stderr: "pipe" });
      const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
      return { out, err, code };
    };
    expect(await seen(ourDocker)).toEqual(await seen(dockerProgram ?? ""));
  });
});
