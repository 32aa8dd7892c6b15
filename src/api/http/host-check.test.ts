import { expect, test } from "bun:test";
import { checkHostAndOrigin } from "./host-check.ts";

const rules = { names: new Set(["engine.example"]), origins: new Set(["https://board.example"]) };
const check = (host: string | undefined, origin?: string) => () => checkHostAndOrigin(rules, { host, origin });

test.each(["127.0.0.1:2375", "localhost", "LOCALHOST:2375", "[::1]:2375", "192.0.2.7", "Engine.Example:2376"])(
  "host %s is ours",
  (host) => {
    expect(check(host)).not.toThrow();
  },
);

test.each(["evil.example", "127.0.0.1.evil.example:2375", "[::1].evil", "localhost.evil:80", "", "engine.example@evil"])(
  "host %p is misdirected",
  (host) => {
    expect(check(host)).toThrow(expect.objectContaining({ kind: "misdirected" }));
  },
);

test.each(["http://evil.example", "null", "http://127.0.0.1:9999", "http://127.0.0.1:2375.evil"])("origin %s is forbidden", (origin) => {
  expect(check("127.0.0.1:2375", origin)).toThrow(expect.objectContaining({ kind: "forbidden" }));
});

test("pages of this listener and of origins that were named may call", () => {
  expect(check("127.0.0.1:2375", "http://127.0.0.1:2375")).not.toThrow();
  expect(check("127.0.0.1:2375", "https://board.example")).not.toThrow();
});
