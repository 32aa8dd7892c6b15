import { expect, test } from "bun:test";
import http2 from "node:http2";
import { duplexOf } from "#api/http/hijacked-duplex.ts";
import type { HijackedStream } from "#api/http/hijacked-stream.ts";
import { upgrade } from "#api/http/route.ts";
import { RawConnection, servedDoor } from "./served-door.ts";
import { until } from "./socket-folder.ts";

const request = "POST /grpc HTTP/1.1\r\nHost: d\r\nConnection: Upgrade\r\nUpgrade: h2c\r\n\r\n";

/** An h2c server that answers each stream with what it was sent, and trailers. */
function echoServer(): http2.Http2Server {
  const server = http2.createServer();
  server.on("sessionError", () => {});
  server.on("stream", (stream: http2.ServerHttp2Stream, headers) => {
    const chunks: Buffer[] = [];
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => {
      stream.respond({ ":status": 200 }, { waitForTrailers: true });
      stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
      stream.end(`${headers[":path"]}:${Buffer.concat(chunks).toString()}`);
    });
  });
  return server;
}

function call(session: http2.ClientHttp2Session, path: string, body: string): Promise<{ text: string; status: unknown }> {
  return new Promise((resolve, reject) => {
    const stream = session.request({ ":path": path, ":method": "POST" });
    let text = "";
    let status: unknown;
    stream.on("data", (chunk: Buffer) => (text += chunk.toString()));
    stream.on("trailers", (trailers) => (status = trailers["grpc-status"]));
    stream.on("end", () => resolve({ text, status }));
    stream.on("error", reject);
    stream.end(body);
  });
}

test("an HTTP/2 server works on a hijacked connection, also when its first bytes follow the upgrade at once", async () => {
  const server = echoServer();
  await using door = await servedDoor([
    upgrade("/grpc", async (_request, hijacked) => {
      await hijacked.accept("", { protocol: "h2c" });
      server.emit("connection", duplexOf(hijacked));
      await hijacked.closed;
    }),
  ]);
  using client = new RawConnection(door.path);
  client.socket.write(request);
  await client.until("Upgrade: h2c\r\n\r\n");
  client.socket.removeAllListeners("data");
  const session = http2.connect("http://d", { createConnection: () => client.socket });
  expect(await call(session, "/a", "one")).toEqual({ text: "/a:one", status: "0" });
  const size = 1 << 20;
  expect((await call(session, "/b", "x".repeat(size))).text.length).toBe(size + 3);
  session.destroy();
  await until("no connection stays", () => door.door.connectionCount === 0);
});

test("an HTTP/2 client works on a hijacked connection: calls go from the daemon to its client", async () => {
  let answer: unknown;
  const session = async (hijacked: HijackedStream): Promise<void> => {
    await hijacked.accept("", { protocol: "h2c" });
    const client = http2.connect("http://d", { createConnection: () => duplexOf(hijacked) });
    answer = await call(client, "/session", "two");
    client.destroy();
  };
  await using door = await servedDoor([upgrade("/grpc", (_request, hijacked) => session(hijacked))]);
  using client = new RawConnection(door.path);
  client.socket.write(request);
  // The daemon's first bytes may come in the packet of the 101: keep them for the server.
  const rest = await new Promise<Buffer>((resolve) => {
    let seen = Buffer.alloc(0);
    const onData = (chunk: Buffer): void => {
      seen = Buffer.concat([seen, chunk]);
      const end = seen.indexOf("\r\n\r\n");
      if (end < 0) return;
      client.socket.off("data", onData);
      resolve(seen.subarray(end + 4));
    };
    client.socket.removeAllListeners("data");
    client.socket.on("data", onData);
  });
  const { Duplex } = await import("node:stream");
  const socket = client.socket;
  const wrapped = new Duplex({
    read: () => void socket.resume(),
    write: (chunk: Buffer, _encoding, done) => void socket.write(chunk, () => done()),
  });
  if (rest.length > 0) wrapped.push(rest);
  socket.on("data", (chunk) => void wrapped.push(chunk));
  echoServer().emit("connection", wrapped);
  await until("the call is answered", () => answer !== undefined);
  expect(answer).toEqual({ text: "/session:two", status: "0" });
});
