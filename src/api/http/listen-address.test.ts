import { expect, test } from "bun:test";
import { isLoopback, parseListenAddress } from "./listen-address.ts";

test.each([
  ["unix:///run/gantry/gantry.sock", { type: "unix", path: "/run/gantry/gantry.sock" }],
  ["fd://", { type: "descriptor" }],
  ["fd://*", { type: "descriptor" }],
  ["fd://4", { type: "descriptor", descriptor: 4 }],
  ["tcp://", { type: "tcp", host: "127.0.0.1", port: 2375 }],
  ["tcp://0.0.0.0:1234", { type: "tcp", host: "0.0.0.0", port: 1234 }],
  ["tcp://[::1]:1234", { type: "tcp", host: "::1", port: 1234 }],
  ["tcp://engine.example", { type: "tcp", host: "engine.example", port: 2375 }],
])("%s is an address to listen on", (text, address) => {
  expect(parseListenAddress(text, false)).toEqual(address as never);
});

test("the port is 2376 with TLS", () => {
  expect(parseListenAddress("tcp://127.0.0.1", true)).toMatchObject({ port: 2376 });
});

test.each([
  "",
  "gantry.sock",
  "unix://relative",
  "tcp://127.0.0.1:99999",
  "tcp://a:b:c",
  "tcp://[zz]:1",
  "npipe://x",
  "fd://x",
  `unix:///${"a".repeat(200)}`,
])("%p is refused", (text) => {
  expect(() => parseListenAddress(text, false)).toThrow(expect.objectContaining({ kind: "invalid" }));
});

test("only 127.0.0.0/8, ::1 and localhost are loopback", () => {
  expect(["127.0.0.1", "127.8.8.8", "::1", "localhost"].every(isLoopback)).toBe(true);
  expect(["0.0.0.0", "::", "10.0.0.1", "127.evil.example"].some(isLoopback)).toBe(false);
});
