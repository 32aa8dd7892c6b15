import type { ConfigFile } from "#client/config-file.ts";
import { changeConfigFile } from "./config-writer.ts";
import { tokenUsername } from "./credential-helper.ts";
import { helperFor, type AuthConfig } from "./credentials.ts";

/**
 * Keeps credentials under a name: with the helper for it, else in config.json.
 * @returns the path of config.json when a password now stands there as everybody can read it
 */
export async function storeCredentials(config: ConfigFile, key: string, auth: AuthConfig): Promise<string | undefined> {
  const { username = "", password = "", identitytoken } = auth;
  const helper = helperFor(config, key);
  if (helper) {
    await helper.store(key, identitytoken ? { username: tokenUsername, secret: identitytoken } : { username, secret: password });
    // The name alone says that there is a log-in.
    await changeAuths(config, (auths) => ({ ...auths, [key]: {} }));
    return undefined;
  }
  const pair = Buffer.from(`${username}:${password}`).toString("base64");
  const entry = { ...(username !== "" && { auth: pair }), ...(identitytoken && { identitytoken }) };
  const known = config.auths[key];
  if (known?.auth === entry.auth && known?.identitytoken === entry.identitytoken) return undefined;
  await changeAuths(config, (auths) => ({ ...auths, [key]: entry }));
  return password === "" ? undefined : `${config.folder}/config.json`;
}

/** Forgets what is kept under a name; success when there is nothing. */
export async function eraseCredentials(config: ConfigFile, key: string): Promise<void> {
  await helperFor(config, key)?.erase(key);
  if (!Object.hasOwn(config.auths, key)) return;
  await changeAuths(config, ({ [key]: _gone, ...others }) => others);
}

type Auths = Readonly<Record<string, unknown>>;

async function changeAuths({ folder }: ConfigFile, change: (auths: Auths) => Auths): Promise<void> {
  await changeConfigFile(folder, (file) => {
    const { auths } = file;
    const changed = change(typeof auths === "object" && auths !== null ? { ...auths } : {});
    return { ...file, auths: Object.fromEntries(Object.entries(changed).sort(([a], [b]) => (a < b ? -1 : 1))) };
  });
}
