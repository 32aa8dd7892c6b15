import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import net from "node:net";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { busybox, loadBusybox } from "../../support/images.ts";

let daemon: TestDaemon;

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  await endClean(daemon);
});

const post = (path: string, body: string | Buffer | ReadableStream<Uint8Array>, type = "application/json") =>
  fetch(`http://d${path}`, {
    unix: daemon.socket,
    method: "POST",
    body: typeof body === "string" ? Buffer.from(body) : body,
    headers: { "Content-Type": type },
  });
const alive = async (): Promise<boolean> => (await daemon.request("GET", "/_ping")).text === "OK";

describe("E1: a bad request is the caller's fault, and the daemon stays up", () => {
  test.each([
    ["/containers/create", "{", "unexpected EOF"],
    ["/containers/create", "{invalid", "invalid character 'i' looking for beginning of object key string"],
    ["/containers/create", '{"Image":1}', "cannot unmarshal number"],
    ["/containers/create", '{"Image":"busybox","HostConfig":{"PortBindings":{"80/tcp":[{"HostIp":"999.1.1.1"}]}}}', "invalid IP address"],
    ["/containers/create", '{"Image":"busybox","HostConfig":{"PortBindings":{"80/xyz":[{}]}}}', "invalid"],
    ["/containers/create", '{"Image":"busybox","HostConfig":{"Memory":1}}', "Minimum memory limit allowed is 6MB"],
    ["/containers/create?name=/../x", '{"Image":"busybox"}', "Invalid container name"],
    ["/containers/create?name=a%2Fb", '{"Image":"busybox"}', "Invalid container name"],
    ["/networks/create", '{"Name":""}', "invalid name: name is empty"],
    ["/volumes/create", '{"Name":"../x"}', "invalid characters for a local volume name"],
    ["/images/create?fromImage=%2e%2e/x", "", "invalid reference format"],
  ])("POST %s %s", async (path, body, message) => {
    const response = await post(path, body);
    expect(response.status).toBe(400);
    expect(((await response.json()) as { message: string }).message).toContain(message);
    expect(await alive()).toBe(true);
  });

  test("another content type", async () => {
    const response = await post("/containers/create", "{}", "text/plain");
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ message: "unsupported Content-Type header (text/plain): must be 'application/json'" });
  });

  test("unknown fields are ignored", async () => {
    const response = await post(
      "/containers/create?name=extra",
      JSON.stringify({ Image: busybox, Nonsense: { a: 1 }, HostConfig: { AlsoNonsense: [1] } }),
    );
    expect(response.status).toBe(201);
    await daemon.request("DELETE", "/containers/extra");
  });

  test("E4: a user namespace mode that there is not is refused", async () => {
    const response = await post("/containers/create", JSON.stringify({ Image: busybox, HostConfig: { UsernsMode: "private" } }));
    expect(response.status).toBe(400);
    expect(await response.json()).toEqual({ message: "invalid user namespace mode: private" });
  });

  test("E2: a huge body is refused without being read", async () => {
    const response = await post("/containers/create", Buffer.alloc(20 << 20, " ")).catch(() => undefined);
    if (response) expect(response.status).toBe(413);
    expect(await alive()).toBe(true);
  });

  test("E2: a body of 150 MiB costs less than 400 MiB", async () => {
    const residentMegabytes = () => Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${daemon.pid}/status`, "utf8"))?.[1]) / 1024;
    const before = residentMegabytes();
    let peak = before;
    const looking = setInterval(() => (peak = Math.max(peak, residentMegabytes())), 5);
    const pieces = new ReadableStream<Uint8Array>({
      async start(controller) {
        controller.enqueue(new TextEncoder().encode('{"Image":"'));
        for (let piece = 0; piece < 150; piece++) controller.enqueue(new Uint8Array(1 << 20).fill(97));
        controller.close();
      },
    });
    const response = await post("/containers/create", pieces).catch(() => undefined);
    clearInterval(looking);
    if (response) expect(response.status).toBe(413);
    expect(peak - before).toBeLessThan(400);
    expect(await alive()).toBe(true);
  }, 30_000);

  test("E6: names of Object's own properties are plain names", async () => {
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      expect((await daemon.request("GET", `/containers/${name}/json`)).status).toBe(404);
      expect((await daemon.request("GET", `/volumes/${name}`)).status).toBe(404);
    }
    const body = `{"Image":"${busybox}","Labels":{"__proto__":"a","constructor":"b"}}`;
    expect((await post("/containers/create?name=proto", body)).status).toBe(201);
    const { text } = await daemon.request("GET", "/containers/proto/json");
    expect(text).toContain('"__proto__":"a"');
    expect(text).toContain('"constructor":"b"');
    await daemon.request("DELETE", "/containers/proto");
  });

  test("E8: shapes that smuggle requests are refused or cut off", async () => {
    const shapes = [
      "POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
      "POST /containers/create HTTP/1.1\r\nHost: d\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
      "POST /containers/create HTTP/1.1\r\nHost: d\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n\r\n",
      "GET /\0 HTTP/1.1\r\nHost: d\r\n\r\n",
      `GET /_ping HTTP/1.1\r\nHost: d\r\nX: ${"a".repeat(10 << 20)}\r\n\r\n`,
      "nonsense\r\n\r\n",
    ];
    for (const shape of shapes) expect(await raw(shape)).not.toContain(" 200 OK");
    expect(await alive()).toBe(true);
  });
});

describe("images that are not what they say", () => {
  test.each([
    ["no archive at all", Buffer.from("hello")],
    ["a cut archive", Buffer.alloc(700, 0x41)],
    ["an empty archive", Buffer.alloc(1024)],
  ])("load of %s fails and leaves nothing", async (_name, bytes) => {
    const before = (await daemon.request("GET", "/images/json")).text;
    const response = await post("/images/load", bytes, "application/x-tar");
    const text = await response.text();
    expect(!response.ok || text.includes("errorDetail")).toBe(true);
    expect((await daemon.request("GET", "/images/json")).text).toBe(before);
    expect(await alive()).toBe(true);
  });
});

function raw(text: string): Promise<string> {
  return new Promise((resolve) => {
    let answer = "";
    const socket = net.connect(daemon.socket, () => socket.write(text));
    const done = (): void => {
      socket.destroy();
      resolve(answer);
    };
    socket.on("data", (chunk) => (answer += chunk.toString("latin1")));
    socket.on("close", done);
    socket.on("error", done);
    setTimeout(done, 1500);
  });
}
