import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import net from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { deferred } from "#lib/async.ts";
import { EngineError } from "#lib/errors.ts";
import { silentLogger } from "#lib/log.ts";
import { FrontDoor } from "./front-door.ts";
import { listen, type Listener } from "./listen.ts";
import { empty, json, stream, text } from "./response.ts";
import { get, head, post, upgrade } from "./route.ts";

const folder = mkdtempSync(join(tmpdir(), "gantry-door-"));
const path = join(folder, "api.sock");
let entered = deferred<void>();
let left = deferred<string>();

const echo = async (hijacked: { read(): Promise<Uint8Array | undefined>; write(chunk: Uint8Array | string): Promise<void> }) => {
  for (let chunk = await hijacked.read(); chunk; chunk = await hijacked.read()) await hijacked.write(`<${Buffer.from(chunk).toString()}>`);
  await hijacked.write("bye");
};

const door = new FrontDoor({
  productVersion: "9.9.9",
  log: silentLogger,
  headerTimeoutMilliseconds: 150,
  routes: [
    get("/_ping", () => text(200, "OK")),
    head("/_ping", () => text(200, "OK")),
    get("/containers/:name/json", ({ params }) => json(200, { Id: params.name })),
    post("/containers/create", async (request) => json(201, { sizeBytes: (await request.body()).length })),
    post("/images/load", async (request) => {
      let sizeBytes = 0;
      for await (const chunk of request.bodyStream()) sizeBytes += chunk.length;
      return json(200, { sizeBytes });
    }),
    post("/containers/:name/stop", () => {
      throw new EngineError("not_modified", "already stopped");
    }),
    get("/broken", () => {
      throw new TypeError("a fault");
    }),
    post("/containers/:name/wait", async ({ signal }) => {
      entered.resolve();
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
      left.resolve("wait");
      return empty(200);
    }),
    get("/events", ({ query, signal }) =>
      stream(
        "application/json",
        (async function* () {
          try {
            yield '{"n":1}\n';
            if (query.get("fail")) throw new Error("in the middle");
            if (!query.get("follow")) return;
            entered.resolve();
            await new Promise((resolve) => signal.addEventListener("abort", resolve));
          } finally {
            left.resolve("events");
          }
        })(),
      ),
    ),
    upgrade("/containers/:name/attach", async ({ params }, hijacked) => {
      if (params.name === "none") throw new EngineError("not_found", "No such container: none");
      await hijacked.accept("application/vnd.docker.raw-stream");
      await echo(hijacked);
    }),
    upgrade("/exec/:id/start", async (request, hijacked) => {
      const { Detach } = JSON.parse(Buffer.from(await request.body()).toString()) as { Detach: boolean };
      if (Detach) return empty(200);
      await hijacked.accept("application/vnd.docker.raw-stream");
      return echo(hijacked);
    }),
  ],
});
let listener: Listener;

beforeAll(async () => {
  [listener] = (await listen(`unix://${path}`, door)) as [Listener];
});
afterAll(async () => {
  listener.close();
  await door.close(0);
  rmSync(folder, { recursive: true, force: true });
});

/** A client that writes bytes as they are and waits for bytes that it expects. */
class RawClient {
  readonly #socket: net.Socket;
  received = "";
  readonly ended = deferred<void>();
  #check = (): void => {};

  constructor(socketPath = path) {
    this.#socket = net.connect({ path: socketPath, allowHalfOpen: true });
    this.#socket.on("data", (chunk) => {
      this.received += chunk.toString("latin1");
      this.#check();
    });
    this.#socket.on("end", () => this.ended.resolve());
    this.#socket.on("error", () => this.ended.resolve());
  }
  send(...pieces: string[]): this {
    for (const piece of pieces) this.#socket.write(piece, "latin1");
    return this;
  }
  async until(expected: string): Promise<string> {
    if (!this.received.includes(expected)) {
      await new Promise<void>((resolve) => {
        this.#check = () => this.received.includes(expected) && resolve();
        void this.ended.promise.then(resolve);
      });
    }
    expect(this.received).toContain(expected);
    const received = this.received;
    this.received = "";
    return received;
  }
  closeSending(): this {
    this.#socket.end();
    return this;
  }
  leave(): void {
    this.#socket.destroy();
  }
}

const request = (line: string, ...headers: string[]) => `${[`${line} HTTP/1.1`, "Host: docker", ...headers].join("\r\n")}\r\n\r\n`;
const attach = "POST /v1.41/containers/x/attach?stdin=1";
const upgradeHeaders = ["Connection: Upgrade", "Upgrade: tcp"];

async function withClient(body: (client: RawClient) => Promise<unknown>): Promise<void> {
  const client = new RawClient();
  try {
    await body(client);
  } finally {
    client.leave();
  }
}

describe("answers", () => {
  test("carry dockerd's headers, and errors the message as JSON", () =>
    withClient(async (client) => {
      const answer = await client.send(request("GET /nope")).until('{"message":"page not found"}\n');
      expect(answer).toStartWith("HTTP/1.1 404 Not Found\r\n");
      for (const header of [
        "Api-Version: 1.56",
        "Docker-Experimental: false",
        "Ostype: linux",
        "Server: Gantry/9.9.9 (linux)",
        "Content-Type: application/json",
        "Content-Length: 29",
      ])
        expect(answer).toContain(`${header}\r\n`);
    }));

  test("HEAD has a length and no body, 304 neither", () =>
    withClient(async (client) => {
      const answer = await client.send(request("HEAD /_ping")).until("\r\n\r\n");
      expect(answer).toEndWith("\r\n\r\n");
      expect(answer).toContain("Content-Length: 2\r\n");
      const stopped = await client.send(request("POST /containers/x/stop")).until("\r\n\r\n");
      expect(stopped).toStartWith("HTTP/1.1 304");
      expect(stopped).not.toContain("Content-Length");
    }));

  test("a fault of the daemon is a 500 and the connection goes on", () =>
    withClient(async (client) => {
      expect(await client.send(request("GET /broken")).until('{"message":"a fault"}')).toStartWith("HTTP/1.1 500");
      await client.send(request("GET /_ping")).until("OK");
    }));

  test("a stream's headers come with its first chunk, and its end ends the answer", () =>
    withClient(async (client) => {
      expect(await client.send(request("GET /events")).until("0\r\n\r\n")).toContain('{"n":1}\n');
    }));

  test("a stream that fails is broken off, not ended", () =>
    withClient(async (client) => {
      await client.send(request("GET /events?fail=1")).ended.promise;
      expect(client.received).not.toContain("0\r\n\r\n");
    }));
});

describe("bodies", () => {
  test("a body in memory is limited to 8 MiB (E2)", () =>
    withClient(async (client) => {
      const answer = await client.send(request("POST /containers/create", "Content-Length: 9000000"), "{}").until("too large");
      expect(answer).toStartWith("HTTP/1.1 413");
    }));

  test("a streamed body has no limit and counts right", () =>
    withClient(async (client) => {
      client.send(request("POST /images/load", "Transfer-Encoding: chunked"));
      const chunk = `10000\r\n${"x".repeat(65536)}\r\n`;
      for (let sent = 0; sent < 160; sent++) client.send(chunk);
      await client.send("0\r\n\r\n").until(`{"sizeBytes":${160 * 65536}}`);
    }));
});

describe("a client that leaves", () => {
  test("aborts a request that waits", () =>
    withClient(async (client) => {
      entered = deferred();
      left = deferred();
      client.send(request("POST /containers/x/wait"));
      await entered.promise;
      client.leave();
      expect(await left.promise).toBe("wait");
    }));

  test("ends a stream that says nothing", () =>
    withClient(async (client) => {
      entered = deferred();
      left = deferred();
      client.send(request("GET /events?follow=1"));
      await entered.promise;
      client.leave();
      expect(await left.promise).toBe("events");
    }));

  test("that only closes its sending side still gets its answer", () =>
    withClient(async (client) => {
      await client.send(request("GET /containers/x/json")).closeSending().until('{"Id":"x"}');
      await client.ended.promise;
    }));
});

describe("hijacking", () => {
  test.each([
    ["with Upgrade", upgradeHeaders, "HTTP/1.1 101 UPGRADED\r\n"],
    ["without Upgrade", [], "HTTP/1.1 200 OK\r\n"],
  ])("%s: bytes in the head's packet are not lost, and half-close ends stdin", (_what, headers, status) =>
    withClient(async (client) => {
      const first = await client.send(request(attach, ...headers) + "early").until("<early>");
      expect(first).toStartWith(status);
      expect(first).toContain("Content-Type: application/vnd.docker.raw-stream\r\n");
      await client.send("later").until("<later>");
      await client.closeSending().until("bye");
      await client.ended.promise;
    }),
  );

  const start = (...headers: string[]) => request("POST /exec/1/start", ...upgradeHeaders, ...headers);
  test.each([
    ["in one packet", [`${start("Content-Length: 16")}{"Detach":false}in`]],
    ["chunked", [`${start("Transfer-Encoding: chunked")}10\r\n{"Detach":false}\r\n0\r\n\r\nin`]],
    ["byte by byte", `${start("Content-Length: 16")}{"Detach":false}in`.split("")],
  ])("the body before the upgrade is no stdin: %s", (_what, pieces) =>
    withClient(async (client) => {
      await client
        .send(...pieces)
        .closeSending()
        .until("bye");
    }),
  );

  test("a chunked body that is announced with an upgrade but not sent is no stdin", () =>
    withClient(async (client) => {
      await client.send(`${request(attach, ...upgradeHeaders, "Transfer-Encoding: chunked")}0\r\n\r\n`).until("101");
      expect(await client.send("in").until("<in>")).not.toContain("<0");
    }));

  test("without an upgrade, stdin may come as a chunked body", () =>
    withClient(async (client) => {
      await client.send(`${request(attach, "Transfer-Encoding: chunked")}3\r\nabc\r\n`).until("<abc>");
      await client.send("0\r\n\r\n").until("bye");
    }));

  test("an error before it is a plain answer, and the connection ends", () =>
    withClient(async (client) => {
      const answer = await client.send(request("POST /containers/none/attach", ...upgradeHeaders)).until("No such container: none");
      expect(answer).toStartWith("HTTP/1.1 404 Not Found\r\n");
      await client.ended.promise;
    }));

  test("works on a connection that served other requests before, and a detached exec leaves it open", () =>
    withClient(async (client) => {
      await client.send(request("POST /containers/create", "Content-Length: 3") + "abc").until('{"sizeBytes":3}');
      await client.send(request("POST /exec/1/start", "Content-Length: 15") + '{"Detach":true}').until("\r\n\r\n");
      await client.send(request("GET /_ping")).until("OK");
      await client.send(request(attach)).until("200 OK");
      await client.send("in").until("<in>");
    }));
});

describe("hostile requests", () => {
  const line = "POST /containers/create";
  test.each([
    ["length and chunked", request(line, "Content-Length: 3", "Transfer-Encoding: chunked") + "0\r\n\r\n"],
    ["two lengths", request(line, "Content-Length: 3", "Content-Length: 4") + "abcd"],
    ["a bad chunk", request(line, "Transfer-Encoding: chunked") + "zz\r\n"],
    ["an unknown coding", request(line, "Transfer-Encoding: gzip")],
    ["a folded header", request("GET /_ping", "X-A: b", " c")],
    ["NUL in a header", request("GET /_ping", "X-A: b\0c")],
    ["a space before the colon", request("GET /_ping", "X-A : b")],
    ["two hosts", request("GET /_ping", "Host: other")],
    ["no host", "GET /_ping HTTP/1.1\r\n\r\n"],
    ["no HTTP", "\x16\x03\x01\r\n\r\n"],
    ["length and chunked on a hijack", request(attach, "Content-Length: 3", "Transfer-Encoding: chunked")],
  ])("%s: 400", (_what, bytes) =>
    withClient(async (client) => {
      expect(await client.send(bytes).until("\r\n\r\n")).toStartWith("HTTP/1.1 400 ");
    }),
  );

  test("a head of more than 1 MiB is 431, one of 900 KB is served (E8)", async () => {
    await withClient(async (client) =>
      expect(await client.send(request("GET /_ping", `X-A: ${"a".repeat(1_200_000)}`)).until("\r\n\r\n")).toContain("431"),
    );
    await withClient(async (client) => client.send(request("GET /_ping", `X-A: ${"a".repeat(900_000)}`)).until("OK"));
  });

  test("a head that does not arrive in time is 408, also as the second of a connection", () =>
    withClient(async (client) => {
      await client.send(request("GET /_ping")).until("OK");
      await client.send("GET /_ping HTTP/1.1\r\n").until("HTTP/1.1 408");
      await client.ended.promise;
    }));

  test("400 connections that stop half-way do not hold up others, and none of them stays (E10)", async () => {
    const half = Array.from({ length: 400 }, () => new RawClient().send("POST /containers/create HTTP/1.1\r\nHost: d\r\n"));
    await withClient(async (client) => client.send(request("GET /_ping")).until("OK"));
    await Promise.all(half.map((client) => client.ended.promise));
    for (const client of half) client.leave();
  });
});

test("close() ends idle connections at once, lets a request finish, and breaks off what takes too long", async () => {
  const answer = deferred<void>();
  const begun = deferred<void>();
  const closing = new FrontDoor({
    productVersion: "1",
    log: silentLogger,
    routes: [
      get("/slow", async () => {
        begun.resolve();
        await answer.promise;
        return text(200, "finished");
      }),
      post("/never", async ({ signal }) => {
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
        return empty(200);
      }),
    ],
  });
  const [one] = await listen(`unix://${join(folder, "closing.sock")}`, closing);
  const slow = new RawClient(join(folder, "closing.sock")).send(request("GET /slow"));
  const never = new RawClient(join(folder, "closing.sock")).send(request("POST /never"));
  const idle = new RawClient(join(folder, "closing.sock"));
  await begun.promise;
  one?.close();
  const closed = closing.close(300);
  await idle.ended.promise;
  answer.resolve();
  await slow.until("finished");
  await closed;
  await never.ended.promise;
  expect(never.received).toBe("");
  expect(closing.connectionCount).toBe(0);
});

describe("listen()", () => {
  test("makes the socket 0660, refuses to replace a live one, and replaces a stale one (E12)", async () => {
    expect(statSync(path).mode & 0o777).toBe(0o660);
    await expect(listen(`unix://${path}`, door)).rejects.toMatchObject({ kind: "conflict" });

    const stale = join(folder, "stale.sock");
    const holder = Bun.spawn([
      process.execPath,
      "-e",
      `require("net").createServer().listen(${JSON.stringify(stale)}, () => process.kill(process.pid, "SIGKILL"))`,
    ]);
    await holder.exited;
    expect(statSync(stale).isSocket()).toBe(true);
    const [replaced] = await listen(`unix://${stale}`, door);
    replaced?.close();
    expect(statSync(stale, { throwIfNoEntry: false })).toBeUndefined();
  });

  test("does not touch a file that is no socket", async () => {
    const file = join(folder, "file");
    writeFileSync(file, "mine");
    await expect(listen(`unix://${file}`, door)).rejects.toMatchObject({ kind: "conflict" });
  });

  test("refuses plain TCP that others reach, unless it is allowed (E13)", async () => {
    await expect(listen("tcp://0.0.0.0:0", door)).rejects.toMatchObject({ kind: "forbidden" });
    const [allowed] = await listen("tcp://0.0.0.0:0", door, { allowInsecureTcp: true });
    allowed?.close();
  });

  test("a TCP listener turns foreign hosts and origins away (E14)", async () => {
    const [tcp] = await listen("tcp://127.0.0.1:0", door);
    const url = (tcp?.address ?? "").replace("tcp:", "http:");
    expect((await fetch(`${url}/_ping`)).status).toBe(200);
    expect((await fetch(`${url}/_ping`, { headers: { Host: "evil.example" } })).status).toBe(421);
    expect((await fetch(`${url}/_ping`, { headers: { Origin: "http://evil.example" } })).status).toBe(403);
    expect((await fetch(`${url}/containers/x/attach`, { method: "POST", headers: { Origin: "http://evil.example" } })).status).toBe(403);
    tcp?.close();
  });
});
