import type { ConfigFile, StoredAuth } from "#client/config-file.ts";

/**
 * The header X-Registry-Auth for a registry: credentials of config.json or of a credential helper, as base64url of JSON. Undefined without any.
 * Source: Engine API, "Authentication"; docker-credential-helpers, protocol `get`.
 */
export async function registryAuth(config: ConfigFile, registry: string): Promise<string | undefined> {
  const helper = config.credHelpers[registry] ?? config.credsStore;
  const credentials = helper ? await fromHelper(helper, registry) : fromFile(config.auths[registry]);
  if (!credentials) return undefined;
  return Buffer.from(JSON.stringify({ ...credentials, serveraddress: registry })).toString("base64url");
}

type Credentials = Readonly<Record<string, string>>;

function fromFile(auth: StoredAuth | undefined): Credentials | undefined {
  if (!auth) return undefined;
  if (auth.identitytoken) return { identitytoken: auth.identitytoken };
  if (auth.registrytoken) return { registrytoken: auth.registrytoken };
  const [username = "", ...password] = auth.auth
    ? Buffer.from(auth.auth, "base64").toString().split(":")
    : [auth.username ?? "", auth.password ?? ""];
  return username ? { username, password: password.join(":").replace(/\0+$/, "") } : undefined;
}

async function fromHelper(name: string, registry: string): Promise<Credentials | undefined> {
  if (!/^[\w.-]+$/.test(name)) throw new Error(`invalid name of a credential helper: ${JSON.stringify(name)}`);
  const child = Bun.spawn([`docker-credential-${name}`, "get"], {
    stdin: new TextEncoder().encode(registry),
    stdout: "pipe",
    stderr: "ignore",
  });
  const [text, code] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  if (code !== 0) return undefined; // no credentials for this registry: the pull is tried without
  const { Username: username = "", Secret: secret = "" } = JSON.parse(text) as { Username?: string; Secret?: string };
  return username === "<token>" ? { identitytoken: secret } : { username, password: secret };
}
