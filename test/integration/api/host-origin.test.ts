import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import net from "node:net";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { busybox, loadBusybox } from "../../support/images.ts";

let daemon: TestDaemon;
let port = 0;

beforeAll(async () => {
  daemon = await startDaemon({ args: ["-H", "tcp://127.0.0.1:0"] });
  port = Number(/"address":"tcp:\/\/127\.0\.0\.1:(\d+)"/.exec(daemon.log())?.[1]);
  await loadBusybox(daemon);
  await daemon.request("POST", "/containers/create?name=page", { Image: busybox, Cmd: ["sleep", "1000"] });
  await daemon.request("POST", "/containers/page/start");
});
afterAll(() => daemon[Symbol.asyncDispose]());

/** The answer to a request as it is written here, up to the end of its head. */
function ask(lines: readonly string[], where: net.NetConnectOpts = { port, host: "127.0.0.1" }): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = "";
    const socket = net.connect(where, () => socket.write([...lines, "", ""].join("\r\n")));
    socket.on("data", (chunk) => {
      answer += chunk.toString("latin1");
      if (answer.includes("\r\n\r\n")) socket.destroy();
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}

const own = () => `Host: 127.0.0.1:${port}`;
const webSocket = [
  "Connection: Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  `Sec-WebSocket-Key: ${btoa("0123456789abcdef")}`,
];

describe("a page of somebody else in the user's browser (E14)", () => {
  test("whose name was made to mean this host is told that it is not served here", async () => {
    for (const host of ["evil.example", `evil.example:${port}`, "127.0.0.1.evil.example"])
      expect(await ask(["GET /containers/json HTTP/1.1", `Host: ${host}`])).toStartWith("HTTP/1.1 421 ");
    for (const host of ["localhost", "127.0.0.1", `[::1]:${port}`])
      expect(await ask(["GET /_ping HTTP/1.1", `Host: ${host}`])).toStartWith("HTTP/1.1 200 ");
  });

  test.each(["GET /containers/json", "POST /containers/page/stop", "DELETE /containers/page?force=1", "OPTIONS /containers/json"])(
    "may not call %s",
    async (call) => {
      for (const origin of ["http://evil.example", "null", "http://127.0.0.1:1"])
        expect(await ask([`${call} HTTP/1.1`, own(), `Origin: ${origin}`, "Content-Length: 0"])).toStartWith("HTTP/1.1 403 ");
    },
  );

  test("may not attach or exec, neither by a websocket nor by an upgrade", async () => {
    for (const target of ["GET /containers/page/attach/ws?stream=1&stdout=1", "POST /containers/page/attach?stream=1&stdout=1"]) {
      const upgrade = target.startsWith("GET") ? webSocket : ["Connection: Upgrade", "Upgrade: tcp"];
      expect(await ask([`${target} HTTP/1.1`, own(), "Origin: http://evil.example", ...upgrade])).toStartWith("HTTP/1.1 403 ");
      expect(await ask([`${target} HTTP/1.1`, "Host: evil.example", ...upgrade])).toStartWith("HTTP/1.1 421 ");
    }
    // The same without an origin is served: programs send none.
    expect(await ask(["GET /containers/page/attach/ws?stream=1&stdout=1 HTTP/1.1", own(), ...webSocket])).toStartWith("HTTP/1.1 101 ");
    expect((await daemon.request("GET", "/containers/page/json")).text).toContain('"Status":"running"');
  });

  test("gets no leave to read answers, and cannot send JSON as a form does", async () => {
    const answer = await ask(["GET /_ping HTTP/1.1", own()]);
    expect(answer.toLowerCase()).not.toContain("access-control-");
    for (const type of ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
      expect(await ask(["POST /containers/create HTTP/1.1", own(), `Content-Type: ${type}`, "Content-Length: 2", "", "{}"])).toStartWith(
        "HTTP/1.1 400 ",
      );
  });
});

test("a unix socket serves whatever host and origin a client names: nobody's page reaches it", async () => {
  const head = ["GET /_ping HTTP/1.1", "Host: evil.example", "Origin: http://evil.example"];
  expect(await ask(head, { path: daemon.socket })).toStartWith("HTTP/1.1 200 ");
});
