import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { configFolder, readConfigFile } from "./config-file.ts";
import { parseHost, resolveEndpoint } from "./endpoint.ts";

const folder = mkdtempSync(join(tmpdir(), "gantry-endpoint-"));

beforeAll(() => {
  writeFileSync(
    join(folder, "config.json"),
    JSON.stringify({ currentContext: "lab", detachKeys: "ctrl-x", psFormat: "{{.ID}}", auths: { r: { auth: "x", n: 1 } } }),
  );
  const name = new Bun.CryptoHasher("sha256").update("lab").digest("hex");
  mkdirSync(join(folder, "contexts/meta", name), { recursive: true });
  writeFileSync(
    join(folder, "contexts/meta", name, "meta.json"),
    JSON.stringify({ Name: "lab", Endpoints: { docker: { Host: "unix:///lab.sock", SkipTLSVerify: false } } }),
  );
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const config = () => readConfigFile(folder);
const noConfig = () => readConfigFile(join(folder, "absent"));

function resolve(
  options: { hosts?: string[]; context?: string; environment?: Record<string, string>; program?: "gantry" | "docker" },
  read = noConfig,
) {
  return resolveEndpoint({ hosts: [], tls: false, tlsVerify: false, environment: {}, program: "gantry", ...options }, read);
}

const urls = async (endpoint: ReturnType<typeof resolve>) => (await endpoint).addresses.map((address) => address.url);

describe("resolveEndpoint()", () => {
  test("looks at our own socket first, and at Docker's first when called as docker", async () => {
    expect(await urls(resolve({}))).toEqual(["unix:///run/gantry/gantry.sock", "unix:///var/run/docker.sock"]);
    expect(await urls(resolve({ program: "docker" }))).toEqual(["unix:///var/run/docker.sock", "unix:///run/gantry/gantry.sock"]);
  });

  test("-H comes before DOCKER_HOST, that before DOCKER_CONTEXT, that before the current context", async () => {
    const environment = { DOCKER_HOST: "unix:///env.sock", DOCKER_CONTEXT: "default" };
    expect(await urls(resolve({ hosts: ["unix:///flag.sock"], environment }, config))).toEqual(["unix:///flag.sock"]);
    expect(await urls(resolve({ environment }, config))).toEqual(["unix:///env.sock"]);
    expect(await urls(resolve({ environment: { DOCKER_CONTEXT: "default" } }, config))).toHaveLength(2);
    expect(await resolve({}, config)).toMatchObject({ contextName: "lab", addresses: [{ url: "unix:///lab.sock" }] });
    expect(await urls(resolve({ context: "lab", environment }, config))).toEqual(["unix:///lab.sock"]);
  });

  test("refuses contradictions and unknown contexts", async () => {
    expect(resolve({ hosts: ["a", "b"] })).rejects.toThrow("Specify only one -H");
    expect(resolve({ hosts: ["a"], context: "b" })).rejects.toThrow("conflicting options: cannot specify both --host and --context");
    expect(resolve({ context: "nosuch" })).rejects.toThrow('context "nosuch": context not found: open ');
  });

  test("verification needs the authority's certificate", async () => {
    expect(resolve({ hosts: ["tcp://x"], environment: { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: folder } })).rejects.toThrow(
      "ca.pem: no such file or directory",
    );
  });
});

test.each([
  ["unix:///a/b", { kind: "unix", path: "/a/b" }],
  ["tcp://host", { kind: "tcp", host: "host", port: 2375 }],
  ["tcp://[::1]:99", { kind: "tcp", host: "::1", port: 99 }],
  ["1.2.3.4:5", { kind: "tcp", host: "1.2.3.4", port: 5 }],
  [":5", { kind: "tcp", host: "localhost", port: 5 }],
])("parseHost(%p) is %p", (text, expected) => {
  expect(parseHost(text)).toMatchObject(expected);
});

test.each(["xyz://a", "tcp://a:b", "tcp://a:99999", "ssh://user@host"])("parseHost(%p) is refused", (text) => {
  expect(() => parseHost(text)).toThrow();
});

test("the configuration keeps what it knows, and a broken file is named", async () => {
  expect(await config()).toMatchObject({ detachKeys: "ctrl-x", formats: { psFormat: "{{.ID}}" }, auths: { r: { auth: "x" } } });
  expect(configFolder("/a", { DOCKER_CONFIG: "/b" })).toBe("/a");
  expect(configFolder(undefined, { DOCKER_CONFIG: "/b" })).toBe("/b");
  expect(configFolder(undefined, { HOME: "/h" })).toBe("/h/.docker");
  mkdirSync(join(folder, "broken"));
  writeFileSync(join(folder, "broken/config.json"), "{");
  expect(readConfigFile(join(folder, "broken"))).rejects.toThrow("Error parsing config file");
});
