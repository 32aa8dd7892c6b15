import { describe, expect, test } from "bun:test";
import { readFileSync, writeFileSync } from "node:fs";
import tls from "node:tls";
import { FrontDoor } from "#api/http/front-door.ts";
import { listen } from "#api/http/listen.ts";
import { json } from "#api/http/response.ts";
import { get, upgrade } from "#api/http/route.ts";
import { silentLogger } from "#lib/log.ts";
import { socketFolder, until } from "./socket-folder.ts";

async function openssl(...parameters: string[]): Promise<void> {
  const child = Bun.spawn(["openssl", ...parameters], { stdout: "ignore", stderr: "pipe" });
  if ((await child.exited) !== 0) throw new Error(await new Response(child.stderr).text());
}

/** An authority, and a key with a certificate of it. */
async function certificates(path: (name: string) => string) {
  const authority = async (name: string): Promise<void> =>
    openssl(
      "req",
      "-x509",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-days",
      "2",
      "-subj",
      `/CN=${name}`,
      "-keyout",
      path(`${name}.key`),
      "-out",
      path(`${name}.pem`),
    );
  const issue = async (by: string, name: string, extra: string): Promise<void> => {
    writeFileSync(path(`${name}.ext`), extra);
    await openssl(
      "req",
      "-newkey",
      "rsa:2048",
      "-nodes",
      "-subj",
      `/CN=${name}`,
      "-keyout",
      path(`${name}.key`),
      "-out",
      path(`${name}.csr`),
    );
    await openssl(
      "x509",
      "-req",
      "-days",
      "2",
      "-in",
      path(`${name}.csr`),
      "-CA",
      path(`${by}.pem`),
      "-CAkey",
      path(`${by}.key`),
      "-CAcreateserial",
      "-extfile",
      path(`${name}.ext`),
      "-out",
      path(`${name}.pem`),
    );
  };
  await Promise.all([authority("ours"), authority("theirs")]);
  await issue("ours", "engine", "subjectAltName=IP:127.0.0.1,DNS:engine.example\nextendedKeyUsage=serverAuth");
  await issue("ours", "alice", "extendedKeyUsage=clientAuth");
  await issue("theirs", "mallory", "extendedKeyUsage=clientAuth");
}

/** What a client with these files gets; the empty text when it is turned away. */
function ask(port: number, text: string, files: tls.ConnectionOptions): Promise<string> {
  return new Promise((resolve) => {
    let received = "";
    const socket = tls.connect({ port, host: "127.0.0.1", ...files }, () => socket.write(text));
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString();
      if (received.includes("\n\n") || received.endsWith("}\n")) socket.end();
    });
    socket.on("error", () => resolve(received));
    socket.on("close", () => resolve(received));
  });
}

describe.skipIf(Bun.which("openssl") === null)("a TLS listener (needs openssl)", () => {
  test("serves clients of its authority and turns others away", async () => {
    using folder = socketFolder();
    await certificates(folder.path);
    const file = (name: string): Buffer => readFileSync(folder.path(name));
    const door = new FrontDoor({
      productVersion: "0",
      log: silentLogger,
      routes: [
        get("/who", ({ peer }) => json(200, { subject: peer.subject })),
        upgrade("/containers/:name/attach", async (_request, hijacked) => {
          await hijacked.accept("application/vnd.docker.raw-stream");
          for (let chunk = await hijacked.read(); chunk; chunk = await hijacked.read())
            await hijacked.write(`<${Buffer.from(chunk).toString()}>\n\n`);
        }),
      ],
    });
    const [listener] = await listen("tcp://127.0.0.1:0", door, {
      tls: { certificate: file("engine.pem"), key: file("engine.key"), clientAuthority: file("ours.pem") },
    });
    try {
      const port = Number(listener?.address.split(":").at(-1));
      const ca = file("ours.pem");
      const alice = { ca, cert: file("alice.pem"), key: file("alice.key") };
      const who = (host: string): string => `GET /who HTTP/1.1\r\nHost: ${host}\r\n\r\n`;
      expect(await ask(port, who("127.0.0.1"), alice)).toContain('{"subject":"alice"}');
      expect(await ask(port, who("engine.example"), alice)).toContain('{"subject":"alice"}');
      expect(await ask(port, who("evil.example"), alice)).toStartWith("HTTP/1.1 421 ");
      expect(await ask(port, who("127.0.0.1"), { ca })).toBe("");
      expect(await ask(port, who("127.0.0.1"), { ca, cert: file("mallory.pem"), key: file("mallory.key") })).toBe("");
      expect(await ask(port, who("127.0.0.1"), { ...alice, maxVersion: "TLSv1.1" })).toBe("");
      const attach = "POST /containers/x/attach HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: tcp\r\n\r\nin";
      expect(await ask(port, attach, alice)).toContain("<in>");
      await until("no connection stays", () => door.connectionCount === 0);
    } finally {
      listener?.close();
      await door.close(0);
    }
  }, 30_000);
});
