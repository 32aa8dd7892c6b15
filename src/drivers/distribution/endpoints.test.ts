import { expect, test } from "bun:test";
import { isInsecure, registryEndpoints } from "./endpoints.ts";

const origins = (domain: string, settings = {}): string[] => registryEndpoints(domain, settings).map(({ origin }) => origin);

test("docker.io is served by registry-1, after its mirrors", () => {
  expect(origins("docker.io")).toEqual(["https://registry-1.docker.io"]);
  expect(origins("docker.io", { mirrors: ["https://mirror.example/", "http://127.0.0.1:5001"] })).toEqual([
    "https://mirror.example",
    "http://127.0.0.1:5001",
    "https://registry-1.docker.io",
  ]);
  expect(origins("quay.io", { mirrors: ["https://mirror.example/"] })).toEqual(["https://quay.io"]);
});

test("mirrors of one registry, and of all that have none of their own", () => {
  const mirrorsByRegistry = { "ghcr.io": ["https://own.example"], "*": ["https://all.example"] };
  expect(registryEndpoints("ghcr.io", { mirrorsByRegistry }).map(({ origin, namespace }) => [origin, namespace])).toEqual([
    ["https://own.example", "ghcr.io"],
    ["https://ghcr.io", undefined],
  ]);
  expect(origins("quay.io", { mirrorsByRegistry })).toEqual(["https://all.example", "https://quay.io"]);
  expect(origins("docker.io", { mirrors: ["https://hub.example"], mirrorsByRegistry })).toEqual([
    "https://hub.example",
    "https://all.example",
    "https://registry-1.docker.io",
  ]);
});

test("TLS is given up for loopback and for what the settings list, and for nothing else", () => {
  expect(origins("localhost:5000")).toEqual(["https://localhost:5000", "http://localhost:5000"]);
  expect(origins("[::1]:5000")).toEqual(["https://[::1]:5000", "http://[::1]:5000"]);
  expect(origins("registry.example:5000")).toEqual(["https://registry.example:5000"]);
  expect(origins("registry.example:5000", { insecureRegistries: ["registry.example:5000"] })).toHaveLength(2);
  expect(origins("registry.example:5001", { insecureRegistries: ["registry.example:5000"] })).toHaveLength(1);
  expect(origins("10.1.2.3:5000", { insecureRegistries: ["10.0.0.0/8"] })).toHaveLength(2);
});

test.each([
  ["127.0.0.1", true],
  ["127.8.9.1:80", true],
  ["[::ffff:127.0.0.1]:80", true],
  ["localhost", true],
  ["127.1", false],
  ["2130706433", false],
  ["127.0.0.1.example.com", false],
  ["localhost.example.com", false],
  ["10.0.0.1", false],
])("%s is insecure: %p", (domain, expected) => {
  expect(isInsecure(domain, [])).toBe(expected);
});

test.each(["ftp://x", "https://user:pw@x", "https://x/path", "nonsense"])("the mirror %s is refused", (mirror) => {
  expect(() => registryEndpoints("docker.io", { mirrors: [mirror] })).toThrow("invalid mirror");
});
