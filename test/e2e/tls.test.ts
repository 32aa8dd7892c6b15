import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { dockerProgram, ourDocker, removeClients } from "./two-clients.ts";

// A daemon behind TLS that wants certificates of its clients: both clients reach it by the same settings, and fail by the same ones.
const folder = mkdtempSync(join(tmpdir(), "gantry-tls-"));
const openssl = Bun.which("openssl");
let server: Bun.Server<undefined>;

function run(...command: readonly string[]): void {
  const { exitCode, stderr } = Bun.spawnSync([...command], { cwd: folder });
  if (exitCode !== 0) throw new Error(stderr.toString());
}

/** `NAME.pem` and `NAME-key.pem`, signed by `authority`, or by itself. */
function certificate(name: string, authority?: string): void {
  const key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", `${name}-key.pem`];
  const signed = authority ? ["-CA", `${authority}.pem`, "-CAkey", `${authority}-key.pem`] : [];
  const use = authority ? ["-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"] : [];
  run("openssl", "req", "-x509", ...key, "-days", "2", "-subj", `/CN=${name}`, ...signed, ...use, "-out", `${name}.pem`);
}

/** A folder as DOCKER_CERT_PATH wants it. */
function place(path: string, authority: string, client: string | undefined): void {
  mkdirSync(join(folder, path), { recursive: true });
  cpSync(join(folder, `${authority}.pem`), join(folder, path, "ca.pem"));
  if (!client) return;
  cpSync(join(folder, `${client}.pem`), join(folder, path, "cert.pem"));
  cpSync(join(folder, `${client}-key.pem`), join(folder, path, "key.pem"));
}

const contextHash = new Bun.CryptoHasher("sha256").update("far").digest("hex");

describe.skipIf(dockerProgram === undefined || openssl === null)("TLS (skipped: docker 28 or openssl is not installed)", () => {
  beforeAll(async () => {
    for (const authority of ["ca", "other"]) certificate(authority);
    certificate("server", "ca");
    certificate("client", "ca");
    certificate("stranger", "other");
    place("good", "ca", "client");
    place("no-client", "ca", undefined);
    place("wrong-client", "ca", "stranger");
    place("wrong-authority", "other", "client");
    const pem = (name: string) => Bun.file(join(folder, `${name}.pem`));
    server = Bun.serve({
      hostname: "127.0.0.1",
      port: 0,
      tls: { cert: pem("server"), key: pem("server-key"), ca: pem("ca"), requestCert: true, rejectUnauthorized: true },
      fetch: ({ url }) => {
        if (new URL(url).pathname === "/_ping") return new Response("OK", { headers: { "Api-Version": "1.50", Ostype: "linux" } });
        return Response.json([]);
      },
    });
    const contexts = join(folder, "config/contexts");
    await Bun.write(
      join(contexts, "meta", contextHash, "meta.json"),
      JSON.stringify({
        Name: "far",
        Metadata: {},
        Endpoints: { docker: { Host: `tcp://127.0.0.1:${server.port}`, SkipTLSVerify: false } },
      }),
    );
    place(`config/contexts/tls/${contextHash}/docker`, "ca", "client");
  });
  afterAll(async () => {
    await server.stop(true);
    removeClients();
    rmSync(folder, { recursive: true });
  });

  async function ps(program: string, args: readonly string[], env: Readonly<Record<string, string>>) {
    const child = Bun.spawn([program, ...args, "ps", "-q"], {
      cwd: folder,
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      env: { PATH: process.env["PATH"] ?? "", HOME: folder, DOCKER_CONFIG: join(folder, "config"), ...env },
    });
    const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
    return { out, failed: err !== "", code };
  }

  const host = () => ["-H", `tcp://127.0.0.1:${server.port}`];
  const files = (path: string) => ["--tlscacert", `${path}/ca.pem`, "--tlscert", `${path}/cert.pem`, "--tlskey", `${path}/key.pem`];
  const cases: readonly { name: string; args: () => readonly string[]; env?: Record<string, string>; code: number }[] = [
    { name: "--tlsverify and files", args: () => [...host(), "--tlsverify", ...files("good")], code: 0 },
    { name: "--tls with files: not verified", args: () => [...host(), "--tls", ...files("wrong-authority")], code: 0 },
    { name: "--tlsverify with another authority", args: () => [...host(), "--tlsverify", ...files("wrong-authority")], code: 1 },
    { name: "a client nobody knows", args: () => [...host(), "--tlsverify", ...files("wrong-client")], code: 1 },
    { name: "no TLS at all", args: host, code: 1 },
    { name: "DOCKER_TLS_VERIFY and DOCKER_CERT_PATH", args: host, env: { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: "good" }, code: 0 },
    { name: "DOCKER_TLS and DOCKER_CERT_PATH", args: host, env: { DOCKER_TLS: "1", DOCKER_CERT_PATH: "good" }, code: 0 },
    {
      name: "DOCKER_CERT_PATH without a client's certificate",
      args: host,
      env: { DOCKER_TLS_VERIFY: "1", DOCKER_CERT_PATH: "no-client" },
      code: 1,
    },
    { name: "a context with certificates", args: () => ["--context", "far"], code: 0 },
    { name: "DOCKER_CONTEXT with certificates", args: () => [], env: { DOCKER_CONTEXT: "far" }, code: 0 },
  ];
  test.each(cases)("$name", async ({ args, env = {}, code }) => {
    const theirs = await ps(dockerProgram ?? "", args(), env);
    expect(await ps(ourDocker, args(), env)).toEqual(theirs);
    expect(theirs.code).toBe(code);
  });
});
