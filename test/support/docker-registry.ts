import { writeFileSync } from "node:fs";
import { join } from "node:path";

/** Debian's docker-registry on loopback, or on an address of this host. */
export interface RealRegistry extends AsyncDisposable {
  /** `127.0.0.1:PORT`. */
  readonly host: string;
}

export interface RealRegistryOptions {
  /** For its files and blobs. */
  readonly folder: string;
  readonly address?: string;
  readonly tls?: { readonly certificate: string; readonly key: string; readonly clientAuthority?: string };
  /** Name and password of the only user. */
  readonly user?: { readonly name: string; readonly password: string };
  readonly tokenServer?: { readonly realm: string; readonly service: string; readonly issuer: string; readonly certificate: string };
}

/** Starts one; it answers when the promise resolves. @throws {Error} when it ends instead */
export async function startRealRegistry(options: RealRegistryOptions): Promise<RealRegistry> {
  const { folder, address = "127.0.0.1", tls } = options;
  const host = `${address}:${freePort(address)}`;
  const file = join(folder, "config.yml");
  writeFileSync(file, await configuration(options, host));
  const server = Bun.spawn(["docker-registry", "serve", file], { stdout: "ignore", stderr: "ignore" });
  const url = `${tls ? "https" : "http"}://${host}/v2/`;
  const client = tls?.clientAuthority === undefined ? {} : { cert: Bun.file(tls.certificate), key: Bun.file(tls.key) };
  const answers = (): Promise<boolean> =>
    fetch(url, { tls: { rejectUnauthorized: false, ...client } }).then(
      () => true,
      (error: unknown) => /CERT|alert/i.test(String(error)), // it wants a certificate, so it is there
    );
  while (!(await answers())) {
    if (server.exitCode !== null) throw new Error(`docker-registry ended with ${server.exitCode}`);
    await Bun.sleep(20);
  }
  return {
    host,
    async [Symbol.asyncDispose]() {
      server.kill();
      await server.exited;
    },
  };
}

/** YAML is a superset of JSON. */
async function configuration({ folder, tls, user, tokenServer }: RealRegistryOptions, host: string): Promise<string> {
  const htpasswd = join(folder, "htpasswd");
  if (user) writeFileSync(htpasswd, `${user.name}:${await Bun.password.hash(user.password, { algorithm: "bcrypt", cost: 4 })}\n`);
  return JSON.stringify({
    version: 0.1,
    log: { level: "error", accesslog: { disabled: true } },
    storage: { filesystem: { rootdirectory: join(folder, "storage") }, delete: { enabled: true } },
    http: {
      addr: host,
      ...(tls && {
        tls: {
          certificate: tls.certificate,
          key: tls.key,
          ...(tls.clientAuthority !== undefined && { clientcas: [tls.clientAuthority] }),
        },
      }),
    },
    ...(user && { auth: { htpasswd: { realm: "test", path: htpasswd } } }),
    ...(tokenServer && {
      auth: {
        token: {
          realm: tokenServer.realm,
          service: tokenServer.service,
          issuer: tokenServer.issuer,
          rootcertbundle: tokenServer.certificate,
        },
      },
    }),
  });
}

function freePort(hostname: string): number {
  const probe = Bun.listen({ hostname, port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}
