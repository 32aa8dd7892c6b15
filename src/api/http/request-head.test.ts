import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import { EngineError } from "#lib/errors.ts";
import { parseRequestHead } from "./request-head.ts";

const parse = (...lines: string[]) => parseRequestHead(Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1"));
const line = "POST /exec/1/start HTTP/1.1";
const host = "Host: docker";

describe("parseRequestHead()", () => {
  test("reads method, target, headers and framing", () => {
    const head = parse(line, host, "Content-Length: 12", "X-A: 1", "x-a:  2 ", "Connection: keep-alive, Upgrade", "Upgrade: TCP");
    expect(head).toMatchObject({
      method: "POST",
      target: "/exec/1/start",
      framing: { type: "length", sizeBytes: 12 },
      upgrade: "tcp",
      keepAlive: true,
    });
    expect(head.headers["x-a"]).toBe("1, 2");
  });

  test("an Upgrade header that Connection does not name asks for nothing", () => {
    expect(parse(line, host, "Upgrade: tcp").upgrade).toBeUndefined();
  });

  test("a header called __proto__ is plain data", () => {
    expect(parse(line, host, "__proto__: x").headers["__proto__"]).toBe("x");
  });

  test.each([
    ["Content-Length with Transfer-Encoding", [line, host, "Content-Length: 3", "Transfer-Encoding: chunked"]],
    ["two lengths", [line, host, "Content-Length: 3", "Content-Length: 3"]],
    ["a length with a sign", [line, host, "Content-Length: +3"]],
    ["a list of lengths", [line, host, "Content-Length: 3, 3"]],
    ["a transfer coding that we do not speak", [line, host, "Transfer-Encoding: gzip, chunked"]],
    ["a folded header", [line, host, "X-A: b", " c"]],
    ["a space before the colon", [line, host, "X-A : b"]],
    ["NUL in a value", [line, host, "X-A: b\0c"]],
    ["a bare line feed in a value", [line, host, "X-A: b\nX-B: c"]],
    ["a bare carriage return in a value", [line, host, "X-A: b\rX-B: c"]],
    ["no host", [line]],
    ["two hosts", [line, host, host]],
    ["another version", ["POST / HTTP/2.0", host]],
    ["a space in the target", ["POST /a b HTTP/1.1", host]],
  ])("refuses %s", (_what, lines) => {
    expect(() => parse(...lines)).toThrow(expect.objectContaining({ kind: "invalid" }));
  });

  test("gives a head or an EngineError for any bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
        try {
          parseRequestHead(Buffer.concat([Buffer.from(`${line}\r\n`), bytes, Buffer.from("\r\n\r\n")]));
        } catch (error) {
          expect(error).toBeInstanceOf(EngineError);
        }
      }),
    );
  });
});
