import { expect, test } from "bun:test";
import { upgrade } from "#api/http/route.ts";
import { acceptWebSocket } from "#api/http/web-socket.ts";
import { RawConnection, servedDoor } from "./served-door.ts";
import { until } from "./socket-folder.ts";

const handshake = [
  "GET /containers/x/attach/ws HTTP/1.1",
  "Host: d",
  "Connection: keep-alive, Upgrade",
  "Upgrade: websocket",
  "Sec-WebSocket-Version: 13",
  "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
].join("\r\n");

/** A masked frame; the mask of zeros leaves the payload as it is. */
const frame = (opcode: number, payload: string): string => String.fromCharCode(0x80 | opcode, 0x80 | payload.length, 0, 0, 0, 0) + payload;

test("Bun's ws serves a websocket on a connection that was handed to it, with a frame right behind the handshake", async () => {
  let ended = false;
  await using server = await servedDoor([
    upgrade(
      "/containers/:name/attach/ws",
      async (request, hijacked) => {
        const socket = await acceptWebSocket(request, hijacked);
        for (let chunk = await socket.read(); chunk; chunk = await socket.read()) await socket.write(`<${Buffer.from(chunk).toString()}>`);
        ended = true;
      },
      { method: "GET" },
    ),
  ]);
  using client = new RawConnection(server.path);
  client.socket.write(`${handshake}\r\n\r\n${frame(1, "hi")}`, "latin1");
  await client.until("<hi>");
  // Key and answer are the example of RFC 6455, 1.3.
  expect(client.received).toContain("Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=");
  client.socket.write(frame(2, "there"), "latin1");
  await client.until("<there>");
  client.socket.write(frame(8, "\x03\xe8"), "latin1");
  await client.until("\x88\x02\x03\xe8");
  client.socket.end();
  await until("the handler is told", () => ended);
  await until("no connection stays", () => server.door.connectionCount === 0);
});

test("a request that is no websocket handshake is a plain 400", async () => {
  await using server = await servedDoor([
    upgrade("/containers/:name/attach/ws", async (request, hijacked) => void (await acceptWebSocket(request, hijacked)), { method: "GET" }),
  ]);
  using client = new RawConnection(server.path);
  client.socket.write("GET /containers/x/attach/ws HTTP/1.1\r\nHost: d\r\n\r\n");
  await client.until("bad websocket handshake");
  expect(client.received).toStartWith("HTTP/1.1 400 ");
});
