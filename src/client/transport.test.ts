import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isKind } from "#lib/errors.ts";
import { olderVersion, Transport } from "./transport.ts";

// Real sockets in a folder of our own: what answers is a few lines that write HTTP by hand, so that every cut and fault can be tried.
const folder = mkdtempSync(join(tmpdir(), "gantry-transport-"));
const path = join(folder, "s.sock");
let connections = 0;
let server: ReturnType<typeof Bun.listen>;

const json = (value: unknown, status = "200 OK"): string => {
  const text = JSON.stringify(value);
  return `HTTP/1.1 ${status}\r\nContent-Type: application/json\r\nContent-Length: ${text.length}\r\n\r\n${text}`;
};

const tooNew = json({ message: "client version 1.51 is too new. Maximum supported API version is 1.45" }, "400 Bad Request");

const answers: Readonly<Record<string, string>> = {
  "/_ping": "HTTP/1.1 200 OK\r\nApi-Version: 1.45\r\nContent-Length: 0\r\n\r\n",
  "/v1.45/ok": json({ a: 1 }),
  "/v1.45/missing": json({ message: "No such container: x" }, "404 Not Found"),
  "/v1.45/plain": "HTTP/1.1 502 Bad Gateway\r\nContent-Length: 4\r\n\r\nnope",
  "/v1.45/chunked":
    'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n7\r\n{"a":1}\r\n9;x=y\r\n {"b":"}"\r\n2\r\n}\n\r\n0\r\nX: y\r\n\r\n',
  "/v1.45/cut": "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nshort",
  "/v1.45/garbage": "SSH-2.0-OpenSSH\r\n\r\n",
  "/v1.45/badchunk": "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
  "/v1.45/attach":
    "HTTP/1.1 101 UPGRADED\r\nContent-Type: application/vnd.docker.raw-stream\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nfirst bytes",
};

beforeAll(() => {
  server = Bun.listen<{ text: string; isHijacked: boolean }>({
    unix: path,
    allowHalfOpen: true,
    socket: {
      open(socket) {
        connections++;
        socket.data = { text: "", isHijacked: false };
      },
      data(socket, chunk) {
        if (socket.data.isHijacked) return void socket.write(`echo ${chunk.toString()}`);
        socket.data.text += chunk.toString();
        const target = /^\w+ (\S+) HTTP\/1.1\r\n[\s\S]*\r\n\r\n/.exec(socket.data.text)?.[1];
        if (target === undefined) return;
        socket.data.text = "";
        socket.data.isHijacked = target.endsWith("/attach");
        // Byte by byte where the reader must not care how it is cut.
        const answer = answers[target] ?? (target.startsWith("/v1.51/") ? tooNew : json({ message: "page not found" }, "404 Not Found"));
        for (const part of target.endsWith("chunked") ? answer : [answer]) socket.write(part);
        if (target.endsWith("cut") || target.endsWith("garbage")) socket.end();
      },
      end(socket) {
        if (socket.data.isHijacked) socket.end("bye");
        else socket.end();
      },
    },
  });
});

afterAll(() => {
  server.stop(true);
  rmSync(folder, { recursive: true, force: true });
});

const transport = (): Transport => new Transport({ contextName: "default", addresses: [{ kind: "unix", path, url: `unix://${path}` }] });

describe("Transport", () => {
  test("speaks the older version of the two, and uses one connection again and again", async () => {
    const http = transport();
    const before = connections;
    for (let round = 0; round < 3; round++) expect(await http.json<unknown>("GET", "/ok")).toEqual({ a: 1 });
    expect(await http.apiVersion()).toBe("1.45");
    expect(connections - before).toBe(1);
    http.close();
  });

  test("an error of the daemon has its kind, status and text", async () => {
    const error: unknown = await transport()
      .json("GET", "/missing")
      .catch((reason: unknown) => reason);
    expect(isKind(error, "not_found")).toBe(true);
    expect(error).toMatchObject({
      status: 404,
      detail: "No such container: x",
      message: "Error response from daemon: No such container: x",
    });
    expect(transport().text("GET", "/plain")).rejects.toThrow("Error response from daemon: nope");
  });

  test("messages are found however the network cuts them", async () => {
    const messages: unknown[] = [];
    for await (const message of transport().messages("GET", "/chunked")) messages.push(message);
    expect(messages).toEqual([{ a: 1 }, { b: "}" }]);
  });

  test.each([
    ["/cut", "unexpected EOF"],
    ["/garbage", "malformed HTTP response"],
    ["/badchunk", "bad chunk size"],
  ])("%s is told as a fault of the connection", async (target, message) => {
    expect(transport().text("GET", target)).rejects.toThrow(message);
  });

  test("a hijacked connection gives the bytes that came with the answer, echoes, and can be half closed", async () => {
    const { stream } = await transport().hijack("/attach");
    const read = async (): Promise<string> => new TextDecoder().decode(await stream.read());
    expect(await read()).toBe("first bytes");
    await stream.write(new TextEncoder().encode("hello"));
    expect(await read()).toBe("echo hello");
    stream.endWrite();
    expect(await read()).toBe("bye");
    expect(await stream.read()).toBeUndefined();
    stream.close();
  });

  test("a refused hijack is an error like any other", async () => {
    expect(transport().hijack("/nothing")).rejects.toThrow("Error response from daemon: page not found");
  });

  test("looks at the next address only when nobody listens at the first", async () => {
    const addresses = [
      { kind: "unix", path: `${path}.absent`, url: "unix:///absent" },
      { kind: "unix", path, url: `unix://${path}` },
    ] as const;
    expect(await new Transport({ contextName: "default", addresses }).json<unknown>("GET", "/ok")).toEqual({ a: 1 });
    const absent = new Transport({ contextName: "default", addresses: [addresses[0]] });
    expect(absent.json("GET", "/ok")).rejects.toThrow(
      "Cannot connect to the Docker daemon at unix:///absent. Is the docker daemon running?",
    );
  });

  test("an aborted request ends with the reason", async () => {
    expect(transport().text("GET", "/ok", { signal: AbortSignal.abort(new Error("enough")) })).rejects.toThrow("enough");
  });
});

test("olderVersion() compares numbers and not letters", () => {
  expect([olderVersion("1.9", "1.51"), olderVersion("1.51", "1.9"), olderVersion("1.51", "1.51")]).toEqual([true, false, false]);
});
