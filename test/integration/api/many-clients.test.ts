import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readdirSync, readFileSync } from "node:fs";
import net from "node:net";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
  await run("talks", ["sh", "-c", "while :; do seq 1 200; usleep 20000; done"]);
  // What the daemon makes ready for the next container is not to be counted as somebody's.
  await until(() => readdirSync(`${daemon.execRoot}/bundles`).length === 2);
});
afterAll(async () => {
  await daemon.request("DELETE", "/containers/talks?force=1");
  await endClean(daemon);
});

/** On a connection of its own, which does not stay open afterwards: descriptors are counted here. */
async function call(method: string, path: string, body?: unknown): Promise<{ readonly status: number; readonly body: unknown }> {
  const headers = { "Content-Type": "application/json" };
  const content = body === undefined ? {} : { body: JSON.stringify(body), headers };
  const response = await fetch(`http://d${path}`, { unix: daemon.socket, method, keepalive: false, ...content });
  const text = await response.text();
  return { status: response.status, body: text.startsWith("{") ? JSON.parse(text) : text };
}

async function run(name: string, Cmd: readonly string[]): Promise<void> {
  const HostConfig = { NetworkMode: "none", LogConfig: { Type: "json-file", Config: { "max-size": "1m" } } };
  expect((await call("POST", `/containers/create?name=${name}`, { Image: busybox, Cmd, HostConfig })).status).toBe(201);
  expect((await call("POST", `/containers/${name}/start`)).status).toBe(204);
}

const residentBytes = (): number => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${daemon.pid}/status`, "utf8"))?.[1]) * 1024;
const descriptors = (): number => readdirSync(`/proc/${daemon.pid}/fd`).length;

/** Sends text and then neither reads nor writes. */
function hold(text: string): Promise<net.Socket> {
  return new Promise((resolve, reject) => {
    const socket = net.connect(daemon.socket, () => {
      socket.write(text);
      socket.pause();
      resolve(socket);
    });
    socket.on("error", reject);
  });
}

/** Resolves when an answer begins; the rest is read and thrown away. */
async function begin(text: string): Promise<net.Socket> {
  const socket = await hold(text);
  await new Promise<void>((resolve) => socket.once("data", () => resolve()).resume());
  return socket;
}

const get = (path: string): string => `GET ${path} HTTP/1.1\r\nHost: d\r\n\r\n`;
const upgrade = (path: string, body = ""): string =>
  `POST ${path} HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: tcp\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\n\r\n${body}`;

/** The longest of some answers that others wait for meanwhile. */
async function slowestAnswerMilliseconds(): Promise<number> {
  let slowest = 0;
  for (const path of ["/_ping", "/containers/json", "/containers/talks/json", "/images/json", "/info"]) {
    const start = performance.now();
    expect((await call("GET", path)).status).toBe(200);
    slowest = Math.max(slowest, performance.now() - start);
  }
  return slowest;
}

describe("nobody waits over 3 s and memory grows by less than 150 MB (E10)", () => {
  test.each<[string, number, () => string]>([
    ["400 requests that stop in the middle of their head", 400, () => "GET /containers/json HTTP/1.1\r\nHost: d\r\nX-Part: "],
    [
      "400 bodies that stop in the middle",
      400,
      () => `POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{"Im`,
    ],
    ["100 clients of events that never read", 100, () => get("/events")],
    ["20 followers of a log that never read", 20, () => get("/containers/talks/logs?stdout=1&follow=1")],
    ["20 attached clients that never read", 20, () => upgrade("/containers/talks/attach?stream=1&stdout=1")],
  ])(
    "with %s",
    async (_what, count, text) => {
      const before = { bytes: residentBytes(), descriptors: descriptors() };
      const sockets = await Promise.all(Array.from({ length: count }, () => hold(text())));
      try {
        // Some that were counted before may have been on their way out.
        await until(() => descriptors() >= before.descriptors + 0.9 * count - 3);
        await produceEvents();
        expect(await slowestAnswerMilliseconds()).toBeLessThan(3000);
        expect(residentBytes() - before.bytes).toBeLessThan(150 << 20);
      } finally {
        for (const socket of sockets) socket.destroy();
      }
      // E11: all is given back.
      await until(() => descriptors() <= before.descriptors + 3);
    },
    60_000,
  );

  /** Enough to fill the sockets of clients that do not read. */
  async function produceEvents(): Promise<void> {
    const body = { Image: busybox, Labels: { long: "x".repeat(4000) } };
    for (let round = 0; round < 10; round++) {
      await Promise.all(
        Array.from({ length: 10 }, async (_, index) => {
          await call("POST", `/containers/create?name=event-${index}`, body);
          await call("DELETE", `/containers/event-${index}`);
        }),
      );
    }
  }

  test("with a head of 10 MB, which is refused as it comes", async () => {
    const before = residentBytes();
    const answer = await new Promise<string>((resolve) => {
      let text = "";
      const socket = net.connect(daemon.socket, () => socket.write(`GET /_ping HTTP/1.1\r\nHost: d\r\nX: ${"a".repeat(10 << 20)}\r\n\r\n`));
      socket.on("data", (chunk) => (text += chunk.toString("latin1")));
      socket.on("error", () => {}); // what is left of the head meets a closed connection
      socket.on("close", () => resolve(text));
    });
    expect(answer === "" || answer.startsWith("HTTP/1.1 431 ")).toBe(true);
    expect(await slowestAnswerMilliseconds()).toBeLessThan(3000);
    expect(residentBytes() - before).toBeLessThan(150 << 20);
  });
});

test("streams, waits and execs that are broken off give their descriptors back within 15 s (E11)", async () => {
  const before = descriptors();
  const execBody = JSON.stringify({ AttachStdout: true, AttachStdin: true, Cmd: ["cat"] });
  const openExec = async (): Promise<net.Socket> => {
    const { body } = await call("POST", "/containers/talks/exec", JSON.parse(execBody));
    return begin(upgrade(`/exec/${(body as { Id: string }).Id}/start`, '{"Detach":false,"Tty":false}'));
  };
  const openers: readonly (() => Promise<net.Socket>)[] = [
    () => begin(get("/events?since=1")),
    () => begin(get("/containers/talks/logs?stdout=1&follow=1")),
    () => begin(upgrade("/containers/talks/attach?stream=1&stdout=1&stdin=1")),
    () => begin("POST /containers/talks/wait?condition=removed HTTP/1.1\r\nHost: d\r\nContent-Length: 0\r\n\r\n"),
    openExec,
  ];
  const sockets = await Promise.all(openers.flatMap((open) => Array.from({ length: 14 }, open)));
  expect(descriptors()).toBeGreaterThan(before + 60);
  for (const [index, socket] of sockets.entries()) {
    if (index % 2 === 0) socket.destroy();
    else socket.resetAndDestroy();
  }
  await until(() => descriptors() <= before + 3, 15_000);
}, 60_000);
