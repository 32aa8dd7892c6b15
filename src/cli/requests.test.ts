import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { customHeaders } from "./custom-headers.ts";
import { runCommandLine } from "./main.ts";
import { memoryOutput } from "./output.ts";

interface Received {
  readonly request: string;
  readonly headers: Headers;
  readonly filters: Record<string, Record<string, boolean>> | undefined;
}

/** What the daemon sees: a server on a socket of its own answers every request with `{"Id":"c0ffee"}`, knowing no container `gone`. */
const folder = mkdtempSync(join(tmpdir(), "gantry-requests-"));
const received: Received[] = [];
let server: Bun.Server<undefined>;

beforeAll(() => {
  server = Bun.serve({
    unix: join(folder, "daemon.sock"),
    fetch: (request) => {
      const { pathname, searchParams } = new URL(request.url);
      const filters = searchParams.get("filters");
      received.push({
        request: `${request.method} ${pathname}`,
        headers: request.headers,
        filters: filters === null ? undefined : JSON.parse(filters),
      });
      if (pathname.includes("/gone/")) return Response.json({ message: "No such container: gone" }, { status: 404 });
      return Response.json({ Id: "c0ffee", Warnings: [] }, { headers: { "Api-Version": "1.51" } });
    },
  });
});

afterAll(async () => {
  await server.stop(true);
  rmSync(folder, { recursive: true });
});

async function run(...argv: string[]) {
  received.length = 0;
  const [out, err] = [memoryOutput(), memoryOutput()];
  const code = await runCommandLine(argv, {
    program: "gantry",
    environment: { DOCKER_HOST: `unix://${folder}/daemon.sock`, DOCKER_CONFIG: folder, HOME: folder },
    out,
    err,
    isTerminal: async () => false,
    columns: async () => 80,
  });
  return { code, out: out.text, err: err.text };
}

const requests = (): readonly string[] => received.map(({ request }) => request);

describe("a command asks the daemon", () => {
  test("checkpoint for the checkpoints of one container", async () => {
    expect(await run("checkpoint", "create", "--leave-running", "web", "one")).toEqual({ code: 0, out: "one\n", err: "" });
    expect(await run("checkpoint", "rm", "web", "one")).toEqual({ code: 0, out: "", err: "" });
    expect(requests().at(-1)).toBe("DELETE /v1.51/containers/web/checkpoints/one");
    expect(await run("checkpoint", "ls", "gone")).toEqual({
      code: 1,
      out: "",
      err: "Error response from daemon: No such container: gone\n",
    });
  });

  test("start to go on from a checkpoint: of one container, without a word", async () => {
    expect(await run("start", "--checkpoint", "one", "--checkpoint-dir", "/srv", "web")).toEqual({ code: 0, out: "", err: "" });
    expect(requests()).toEqual(["POST /v1.51/containers/web/start"]);
    expect(await run("start", "--checkpoint", "one", "a", "b")).toMatchObject({
      code: 1,
      err: expect.stringContaining("you cannot restore multiple containers at once"),
    });
    expect(requests()).toEqual([]);
  });

  test.each(["pause", "unpause"])("%s for each container, and prints the names it did", async (verb) => {
    expect(await run(verb, "a", "gone", "b")).toEqual({
      code: 1,
      out: "a\nb\n",
      err: "Error response from daemon: No such container: gone\n",
    });
    expect(
      requests()
        .filter((one) => one.endsWith(`/${verb}`))
        .sort(),
    ).toEqual(["a", "b", "gone"].map((name) => `POST /v1.51/containers/${name}/${verb}`));
  });

  test("container pause is the same", async () => {
    expect((await run("container", "pause", "a")).out).toBe("a\n");
  });

  test("run -d to create and start, and does not watch for the end", async () => {
    expect((await run("run", "-d", "busybox")).out).toBe("c0ffee\n");
    expect(requests()).toEqual(["POST /v1.51/containers/create", "POST /v1.51/containers/c0ffee/start"]);
  });
});

const configure = (text: string): void => writeFileSync(join(folder, "config.json"), text);

// Docker's client 28.2 leaves most of these out, against its own documentation: then a prune takes what was to be kept.
describe("pruneFilters of config.json", () => {
  test.each([
    ["container prune -f", { label: ["team=blue"], "label!": ["keep"] }],
    ["image prune -f", { label: ["team=blue"], "label!": ["keep"], dangling: ["true"] }],
    ["volume prune -f --filter label=other", { label: ["other", "team=blue"], "label!": ["keep"] }],
    ["network prune -f --filter label!=team=blue", { "label!": ["team=blue", "keep"] }],
    ["container prune -f --filter label=keep", { label: ["keep", "team=blue"] }],
  ])("limit %s", async (line, filters) => {
    configure(JSON.stringify({ pruneFilters: ["label=team=blue", "label!=keep"] }));
    await run(...line.split(" "));
    const sent = Object.entries(received.at(-1)?.filters ?? {}).map(([key, values]) => [key, Object.keys(values).toSorted()]);
    expect(Object.fromEntries(sent)).toEqual(Object.fromEntries(Object.entries(filters).map(([key, values]) => [key, values.toSorted()])));
  });

  test("are told before system prune takes anything", async () => {
    const { out } = await run("system", "prune", "-f", "--filter", "label=x");
    expect(out).toContain("Total reclaimed space");
    expect(received.filter(({ request }) => request.includes("prune")).every((one) => one.filters?.["label!"]?.["keep"])).toBeTrue();
  });
});

describe("HttpHeaders of config.json", () => {
  test("go with every request", async () => {
    configure(JSON.stringify({ HttpHeaders: { "X-Team": "blue", "user-agent": "other" } }));
    await run("run", "-d", "busybox");
    expect(received.map(({ headers }) => headers.get("x-team"))).toEqual(["blue", "blue"]);
    expect(received[0]?.headers.get("user-agent")).toStartWith("Gantry-Client/");
  });

  test("with a name that HTTP does not allow are refused before anything is sent", async () => {
    configure(JSON.stringify({ HttpHeaders: { "X Team: blue": "" } }));
    expect(await run("pause", "a")).toEqual({ code: 1, out: "", err: 'invalid header field name "X Team: blue" in HttpHeaders\n' });
    expect(received).toEqual([]);
  });

  test("leave out the fields that belong to the connection", () => {
    expect(customHeaders({ Host: "a", "Content-Length": "1", "Transfer-Encoding": "chunked", "X-A": "1" })).toEqual({ "X-A": "1" });
  });

  test("in a file that is no JSON are told on stderr, and the command goes on", async () => {
    configure("{bad");
    const { code, out, err } = await run("pause", "a");
    expect([code, out]).toEqual([0, "a\n"]);
    expect(err).toStartWith(`WARNING: Error parsing config file (${folder}/config.json): `);
  });
});
