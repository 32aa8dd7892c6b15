import { expect, test } from "bun:test";
import http, { type IncomingMessage, type ServerResponse } from "node:http";
import net from "node:net";
import { empty, json, stream } from "#api/http/response.ts";
import { get, post } from "#api/http/route.ts";
import { RawConnection, servedDoor } from "./served-door.ts";
import { socketFolder, until } from "./socket-folder.ts";

const line = (text: string, ...headers: string[]): string => `${[`${text} HTTP/1.1`, "Host: d", ...headers].join("\r\n")}\r\n\r\n`;

/** node:http behind a net.Server, without anything of ours between. */
async function injected(handler: (request: IncomingMessage, response: ServerResponse) => void) {
  const folder = socketFolder();
  const server = http.createServer({ maxHeaderSize: 1 << 20 }, handler);
  let refused = 0;
  server.on("clientError", (_error, socket) => {
    refused++;
    socket.destroy();
  });
  const door = net.createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    server.emit("connection", socket);
  });
  await new Promise<void>((resolve) => door.listen(folder.path("s"), resolve));
  return {
    path: folder.path("s"),
    refused: () => refused,
    [Symbol.dispose]: () => {
      door.close();
      server.close();
      folder[Symbol.dispose]();
    },
  };
}

test("node:http serves several requests of one injected connection, pipelined or one by one", async () => {
  using server = await injected((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => response.end(`${request.url}:${body};`));
  });
  using client = new RawConnection(server.path);
  client.socket.write(`${line("GET /a")}${line("POST /b", "Content-Length: 3")}abc`);
  await client.until("/b:abc;");
  client.socket.write(line("POST /c", "Transfer-Encoding: chunked"));
  client.socket.write("2\r\nhi\r\n0\r\n\r\n");
  await client.until("/c:hi;");
});

test.each([
  ["length and chunked", `${line("POST /", "Content-Length: 3", "Transfer-Encoding: chunked")}0\r\n\r\n`],
  ["two lengths", `${line("POST /", "Content-Length: 3", "Content-Length: 4")}abcd`],
  ["a bad chunk", `${line("POST /", "Transfer-Encoding: chunked")}zz\r\n`],
  ["an unknown coding", line("POST /", "Transfer-Encoding: gzip")],
  ["a folded header", line("GET /", "X: b", " c")],
  ["NUL in a header", line("GET /", "X: b\0c")],
  ["a space before the colon", line("GET /", "X : b")],
  ["bare line feeds", "GET / HTTP/1.1\nHost: d\n\n"],
])("node:http's parser refuses %s by clientError", async (_what, bytes) => {
  using server = await injected((request, response) => void request.resume().on("end", () => response.end("served")));
  using client = new RawConnection(server.path);
  client.socket.write(bytes, "latin1");
  await until("the connection ends", () => client.ended);
  expect(server.refused()).toBeGreaterThan(0);
  expect(client.received).not.toContain("served");
});

test("an answer waits for a client that does not read: bounded memory", async () => {
  let produced = 0;
  await using server = await servedDoor([
    get("/endless", () =>
      stream(
        "application/octet-stream",
        (async function* () {
          for (const chunk = Buffer.alloc(65536); ; produced += chunk.length) yield chunk;
        })(),
      ),
    ),
  ]);
  using client = new RawConnection(server.path);
  client.socket.write(line("GET /endless"));
  client.socket.pause();
  await until("the stream has begun", () => produced > 0);
  let before = -1;
  // Standing still for a while is what cannot be waited for as an event.
  while (before !== produced) {
    before = produced;
    await Bun.sleep(100);
  }
  expect(produced).toBeLessThan(8 * 1024 * 1024);
});

test("a client that sends requests without reading answers is held back", async () => {
  let served = 0;
  const value = "x".repeat(1000);
  await using server = await servedDoor([
    get("/info", async () => {
      served++;
      return json(200, value);
    }),
  ]);
  using client = new RawConnection(server.path);
  client.socket.pause();
  client.socket.write(line("GET /info").repeat(50_000));
  await until("it has begun", () => served > 0);
  let before = -1;
  while (before !== served) {
    before = served;
    await Bun.sleep(100);
  }
  expect(served).toBeLessThan(20_000);
  client.socket.resume();
  await until("the others are served when it reads", () => served === 50_000, 30_000);
}, 40_000);

test("a client that leaves is seen by a silent stream and by a POST that waits", async () => {
  let waiting = 0;
  let left = 0;
  const untilGone = async (signal: AbortSignal): Promise<void> => {
    waiting++;
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    left++;
  };
  await using server = await servedDoor([
    post("/wait", async ({ signal }) => {
      await untilGone(signal);
      return empty(200);
    }),
    get("/silent", ({ signal }) =>
      stream(
        "application/json",
        (async function* () {
          await untilGone(signal);
          yield "";
        })(),
      ),
    ),
  ]);
  const clients = ["POST /wait", "GET /silent"].map((text) => {
    const client = new RawConnection(server.path);
    client.socket.write(line(text));
    return client;
  });
  await until("both wait", () => waiting === 2);
  for (const client of clients) client.socket.destroy();
  await until("both are told", () => left === 2);
  await until("no connection stays", () => server.door.connectionCount === 0);
});

test("1000 idle streams cost little, and the next request is answered at once", async () => {
  await using server = await servedDoor([
    get("/events", ({ signal }) =>
      stream(
        "application/json",
        (async function* () {
          yield "{}\n";
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
        })(),
      ),
    ),
    get("/info", () => json(200, { ok: true })),
  ]);
  Bun.gc(true);
  const before = process.memoryUsage.rss();
  const clients: RawConnection[] = [];
  for (let batch = 0; batch < 10; batch++) {
    // A listener's queue is finite: a Unix socket refuses a client when it is full.
    const more = Array.from({ length: 100 }, () => new RawConnection(server.path));
    for (const client of more) client.socket.write(line("GET /events"));
    await until("all have begun", () => more.every((client) => client.received.includes("{}")));
    clients.push(...more);
  }
  Bun.gc(true);
  // Server and clients live in this process: both ends together.
  expect(process.memoryUsage.rss() - before).toBeLessThan(150 * 1024 * 1024);
  const started = performance.now();
  using client = new RawConnection(server.path);
  client.socket.write(line("GET /info"));
  await client.until('{"ok":true}');
  expect(performance.now() - started).toBeLessThan(500);
  for (const one of clients) one.socket.destroy();
  await until("all are gone", () => server.door.connectionCount <= 1, 20_000);
}, 60_000);
