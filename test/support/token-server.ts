import { createSign, randomUUID } from "node:crypto";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { readFileSync } from "node:fs";
import { join } from "node:path";

/**
 * A server of tokens, as registries name one in their challenge: it knows one user, by password or by the refresh token that it gives out.
 * Source: distribution, "Token Authentication Specification".
 */
export interface TokenServer extends AsyncDisposable {
  readonly realm: string;
  readonly service: string;
  readonly issuer: string;
  /** File of the certificate that its tokens are signed with. */
  readonly certificate: string;
  readonly refreshToken: string;
  /** Scopes that were asked for, one entry for each request. */
  readonly asked: readonly string[];
}

export async function startTokenServer(folder: string, user: { readonly name: string; readonly password: string }): Promise<TokenServer> {
  const [issuer, service, refreshToken] = ["test-issuer", "test-service", `refresh-${randomUUID()}`];
  const [key, certificate] = [join(folder, "token.key"), join(folder, "token.pem")];
  const made = Bun.spawnSync(
    ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=token", "-days", "2", "-keyout", key, "-out", certificate],
    { stdout: "ignore", stderr: "ignore" },
  );
  if (made.exitCode !== 0) throw new Error("openssl cannot make a certificate");
  const asked: string[] = [];
  const basic = `Basic ${Buffer.from(`${user.name}:${user.password}`).toString("base64")}`;

  const server = createServer((request, response) => {
    void (async () => {
      const pieces: Buffer[] = [];
      for await (const piece of request) pieces.push(piece as Buffer);
      const url = new URL(request.url ?? "", "http://token");
      const form = request.method === "POST" ? new URLSearchParams(Buffer.concat(pieces).toString()) : url.searchParams;
      const scopes = form.getAll("scope").flatMap((scope) => scope.split(" ").filter(Boolean));
      asked.push(scopes.join(" "));
      const isKnown = request.headers.authorization === basic || form.get("refresh_token") === refreshToken;
      if (!isKnown) {
        response.writeHead(401, { "content-type": "application/json" });
        response.end(JSON.stringify({ errors: [{ code: "UNAUTHORIZED", message: "incorrect username or password" }] }));
        return;
      }
      const token = sign({ key, certificate, issuer, service }, scopes);
      const isOffline = form.get("offline_token") === "true";
      response.end(JSON.stringify({ token, ...(isOffline && { refresh_token: refreshToken }) }));
    })();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    realm: `http://127.0.0.1:${(server.address() as AddressInfo).port}/token`,
    ...{ service, issuer, certificate, refreshToken, asked },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

interface Signer {
  readonly key: string;
  readonly certificate: string;
  readonly issuer: string;
  readonly service: string;
}

function sign({ key, certificate, issuer, service }: Signer, scopes: readonly string[]): string {
  const der = readFileSync(certificate, "utf8").replace(/-----[A-Z ]+-----|\s/g, "");
  const now = Math.floor(Date.now() / 1000);
  const access = scopes.map((scope) => {
    const [type = "", name = "", actions = ""] = /^([^:]*):(.*):([^:]*)$/.exec(scope)?.slice(1) ?? [];
    return { type, name, actions: actions.split(",") };
  });
  const claims = { iss: issuer, sub: "test", aud: service, iat: now, nbf: now - 10, exp: now + 300, jti: randomUUID(), access };
  const text = [{ typ: "JWT", alg: "RS256", x5c: [der] }, claims]
    .map((part) => Buffer.from(JSON.stringify(part)).toString("base64url"))
    .join(".");
  const signature = createSign("RSA-SHA256").update(text).sign(readFileSync(key, "utf8"), "base64url");
  return `${text}.${signature}`;
}
