import type { ConfigFile, StoredAuth } from "#client/config-file.ts";
import { CredentialHelper, tokenUsername } from "./credential-helper.ts";
import { hostOf, hubServer, keysFor, serverKey } from "./server.ts";

/** Credentials as the Engine API takes them. Never printed. Source: Engine API, "AuthConfig". */
export interface AuthConfig {
  readonly username?: string;
  readonly password?: string;
  readonly identitytoken?: string;
  readonly registrytoken?: string;
  readonly serveraddress: string;
}

/**
 * The header X-Registry-Auth for an image: of the log-in whose path fits best. Undefined without any.
 * @param name  of the repository
 */
export async function registryAuth(config: ConfigFile, name: string): Promise<string | undefined> {
  const keys = keysFor(name);
  const host = keys.at(-1);
  // A helper is a program: it is asked about paths only where there is something to find.
  const isKnown = (key: string): boolean => key === host || Object.hasOwn(config.auths, key) || Object.hasOwn(config.credHelpers, key);
  for (const key of keys.filter(isKnown)) {
    const found = await storedCredentials(config, key);
    if (found) return encodeAuth({ ...found, serveraddress: hostOf(key) === "docker.io" ? hubServer : hostOf(key) });
  }
  return undefined;
}

/** The header X-Registry-Auth. */
export function encodeAuth(auth: Partial<AuthConfig>): string {
  const padded = Buffer.from(JSON.stringify(auth)).toString("base64");
  return padded.replaceAll("+", "-").replaceAll("/", "_");
}

/** What is kept under one name, by the helper for it or in config.json. A helper that fails is as good as one that has nothing. */
export async function storedCredentials(config: ConfigFile, key: string): Promise<AuthConfig | undefined> {
  const helper = helperFor(config, key);
  if (helper) return fromHelper(await helper.get(key).catch(() => undefined), key);
  const auth = config.auths[key] ?? olderEntry(config.auths, key);
  return auth && fromFile(auth, key);
}

/** The program that keeps the credentials of a registry, if it is not config.json itself. */
export function helperFor(config: ConfigFile, key: string): CredentialHelper | undefined {
  const name = Object.hasOwn(config.credHelpers, key) ? config.credHelpers[key] : (config.credHelpers[hostOf(key)] ?? config.credsStore);
  return name ? new CredentialHelper(name) : undefined;
}

function fromHelper(found: { readonly username: string; readonly secret: string } | undefined, key: string): AuthConfig | undefined {
  if (!found) return undefined;
  const { username, secret } = found;
  return username === tokenUsername ? { identitytoken: secret, serveraddress: key } : { username, password: secret, serveraddress: key };
}

/** Clients of long ago kept whole URLs. */
function olderEntry(auths: ConfigFile["auths"], key: string): StoredAuth | undefined {
  return Object.entries(auths).find(([name]) => serverKey(name) === key)?.[1];
}

function fromFile(auth: StoredAuth, key: string): AuthConfig | undefined {
  const [username = "", ...password] = auth.auth
    ? Buffer.from(auth.auth, "base64").toString().split(":")
    : [auth.username ?? "", auth.password ?? ""];
  const named = { ...(username && { username }), serveraddress: key };
  if (auth.identitytoken) return { ...named, identitytoken: auth.identitytoken };
  if (auth.registrytoken) return { ...named, registrytoken: auth.registrytoken };
  return username ? { ...named, password: password.join(":").replace(/\0+$/, "") } : undefined;
}
