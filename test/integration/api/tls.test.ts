import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { dirname } from "node:path";
import tls from "node:tls";
import { BareDaemon } from "./bare-daemon.ts";
import { makeCertificates } from "./certificates.ts";

const file = makeCertificates();
const daemon = new BareDaemon();
const ca = readFileSync(file("ours.pem"));
const ours = ["--tlscacert", file("ours.pem"), "--tlscert", file("engine.pem"), "--tlskey", file("engine.key")];

beforeAll(() => daemon.start(["-H", "tcp://0.0.0.0:0", "--tlsverify", ...ours]), 30_000);
afterAll(async () => {
  await daemon[Symbol.asyncDispose]();
  Bun.spawnSync(["rm", "-rf", dirname(file("x"))]);
});

const identity = (name: string) => ({ cert: readFileSync(file(`${name}.pem`)), key: readFileSync(file(`${name}.key`)) });

/** What a client with these files gets; the empty text when it is turned away. */
function ask(options: tls.ConnectionOptions, host = "127.0.0.1"): Promise<string> {
  return new Promise((resolve) => {
    let received = "";
    const socket = tls.connect({ port: daemon.port(), host: "127.0.0.1", ca, ...options }, () =>
      socket.write(`GET /_ping HTTP/1.1\r\nHost: ${host}\r\nConnection: close\r\n\r\n`),
    );
    socket.on("data", (chunk: Buffer) => (received += chunk.toString()));
    socket.on("error", () => resolve(received));
    socket.on("close", () => resolve(received));
  });
}

describe("a listener with --tlsverify (E13)", () => {
  test("serves a client with a certificate of its authority, also Docker's own", async () => {
    expect(await ask(identity("alice"))).toStartWith("HTTP/1.1 200 OK");
    const files = ["--tlsverify", "--tlscacert", file("ours.pem"), "--tlscert", file("alice.pem"), "--tlskey", file("alice.key")];
    const client = Bun.spawnSync(["docker", "-H", `tcp://127.0.0.1:${daemon.port()}`, ...files, "ps", "-q"]);
    expect({ code: client.exitCode, stderr: client.stderr.toString() }).toEqual({ code: 0, stderr: "" });
  });

  test("turns away clients without one, with one of another authority, with plain text and with old TLS", async () => {
    expect(await ask({})).toBe("");
    expect(await ask(identity("mallory"))).toBe("");
    expect(await ask({ ...identity("alice"), minVersion: "TLSv1", maxVersion: "TLSv1.1" })).toBe("");
    const plain = await fetch(`http://127.0.0.1:${daemon.port()}/_ping`).catch((error: unknown) => String(error));
    expect(plain).toBeString();
  });

  test("serves names of its certificate, and no others (E14)", async () => {
    expect(await ask(identity("alice"), "engine.example")).toStartWith("HTTP/1.1 200 OK");
    expect(await ask(identity("alice"), "evil.example")).toStartWith("HTTP/1.1 421 ");
  });
});

test("TLS that does not verify its clients is no protection: refused where others reach it (E13)", async () => {
  await using other = new BareDaemon();
  const { code, output } = await other.fail(["-H", "tcp://0.0.0.0:0", "--tls", ...ours]);
  expect(code).toBe(1);
  expect(output).toContain("without verified TLS");
}, 30_000);

test("a certificate, key or authority that cannot be read is named", async () => {
  await using other = new BareDaemon();
  for (const missing of ["tlscacert", "tlscert", "tlskey"]) {
    const flags = ours.map((word, index) => (ours[index - 1] === `--${missing}` ? "/no/such/file" : word));
    const { code, output } = await other.fail(["-H", "tcp://127.0.0.1:0", "--tlsverify", ...flags]);
    expect({ missing, code }).toEqual({ missing, code: 1 });
    expect(output).toContain("/no/such/file");
  }
  const { code, output } = await other.fail(["-H", "tcp://127.0.0.1:0", "--tlsverify"]);
  expect(code).toBe(1);
  expect(output).toMatch(/tlscert/);
}, 30_000);
