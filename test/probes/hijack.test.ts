import { expect, test } from "bun:test";
import { upgrade } from "#api/http/route.ts";
import { RawConnection, servedDoor } from "./served-door.ts";
import { until } from "./socket-folder.ts";

const head = (...headers: string[]): string => `${["POST /exec/1/start HTTP/1.1", "Host: d", ...headers].join("\r\n")}\r\n\r\n`;
const withUpgrade = ["Connection: Upgrade", "Upgrade: tcp"];
const body = '{"Tty":true}';

/** Says what the body was, then what stdin was, once stdin has ended. */
const listening = upgrade("/exec/:id/start", async (request, hijacked) => {
  const text = Buffer.from(await request.body()).toString();
  await hijacked.accept("application/vnd.docker.raw-stream");
  let input = "";
  for (let chunk = await hijacked.read(); chunk; chunk = await hijacked.read()) input += Buffer.from(chunk).toString();
  await hijacked.write(`[${text}|${input}]`);
});

test.each([["with Upgrade", withUpgrade] as const, ["without Upgrade", []] as const])(
  "%s: body and stdin come apart in every packeting",
  async (_what, headers) => {
    await using server = await servedDoor([listening]);
    const wires = [
      `${head(...headers, `Content-Length: ${body.length}`)}${body}stdin`,
      `${head(...headers, "Transfer-Encoding: chunked")}5\r\n${body.slice(0, 5)}\r\n7\r\n${body.slice(5)}\r\n0\r\n\r\nstdin`,
    ];
    for (const wire of wires) {
      for (let cut = 1; cut < wire.length; cut += 7) {
        using client = new RawConnection(server.path);
        client.socket.write(wire.slice(0, cut));
        await new Promise((resolve) => setImmediate(resolve));
        client.socket.end(wire.slice(cut));
        await client.until(`[${body}|stdin]`);
        await until("the server closes too", () => client.ended);
      }
    }
  },
);

test("the server may end its side first and go on reading", async () => {
  let input = "";
  await using server = await servedDoor([
    upgrade("/exec/:id/start", async (_request, hijacked) => {
      await hijacked.accept("application/vnd.docker.raw-stream");
      await hijacked.write("done");
      hijacked.end();
      for (let chunk = await hijacked.read(); chunk; chunk = await hijacked.read()) input += Buffer.from(chunk).toString();
    }),
  ]);
  using client = new RawConnection(server.path);
  client.socket.write(head(...withUpgrade));
  await until("the server has ended its side", () => client.ended);
  expect(client.received).toEndWith("done");
  client.socket.end("after");
  await until("all was read", () => input === "after");
  await until("no connection stays", () => server.door.connectionCount === 0);
});

test("write() waits for a client that does not read", async () => {
  let written = 0;
  await using server = await servedDoor([
    upgrade("/exec/:id/start", async (_request, hijacked) => {
      await hijacked.accept("application/vnd.docker.raw-stream");
      for (const chunk = Buffer.alloc(65536); ; written += chunk.length) await hijacked.write(chunk);
    }),
  ]);
  using client = new RawConnection(server.path);
  client.socket.write(head(...withUpgrade));
  client.socket.pause();
  await until("it has begun", () => written > 0);
  let before = -1;
  while (before !== written) {
    before = written;
    await Bun.sleep(100);
  }
  expect(written).toBeLessThan(8 * 1024 * 1024);
  client.socket.destroy();
  await until("the writer is told", () => server.door.connectionCount === 0);
});

test("read() holds a client back that sends faster than is read", async () => {
  let release = (): void => {};
  const held = new Promise<void>((resolve) => (release = resolve));
  let received = 0;
  await using server = await servedDoor([
    upgrade("/exec/:id/start", async (_request, hijacked) => {
      await hijacked.accept("application/vnd.docker.raw-stream");
      await held;
      for (let chunk = await hijacked.read(); chunk; chunk = await hijacked.read()) received += chunk.length;
    }),
  ]);
  using client = new RawConnection(server.path);
  client.socket.write(head(...withUpgrade));
  await client.until("101");
  const size = 32 * 1024 * 1024;
  client.socket.end(Buffer.alloc(size));
  await Bun.sleep(100);
  expect(client.socket.writableLength).toBeGreaterThan(0);
  release();
  await until("all was read", () => received === size);
});
