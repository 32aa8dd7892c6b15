import type { RegistryCredentials } from "./types.ts";

/** Above it nobody's header is a credential. */
const maximumHeaderLength = 64 << 10;

/**
 * Reads the header X-Registry-Auth: base64url of JSON. Like Docker, one that cannot be read counts as absent: old clients send garbage for
 * "no credentials", and the registry says what is missing.
 * Source: Engine API, "Authentication".
 */
export function parseRegistryAuth(header: string | undefined): RegistryCredentials | undefined {
  if (!header || header.length > maximumHeaderLength) return undefined;
  const fields = parseObject(Buffer.from(header, "base64url").toString()); // reads plain base64 as well
  const text = (name: string): string | undefined => {
    const value = fields.get(name.toLowerCase());
    return typeof value === "string" && value !== "" ? value : undefined;
  };
  const [username, password] = [text("username"), text("password")];
  const [identityToken, registryToken] = [text("identitytoken"), text("registrytoken")];
  const pair = username === undefined && password === undefined ? splitAuth(text("auth")) : { username, password };
  const credentials: RegistryCredentials = {
    ...(pair.username !== undefined && { username: pair.username }),
    ...(pair.password !== undefined && { password: pair.password }),
    ...(identityToken !== undefined && { identityToken }),
    ...(registryToken !== undefined && { registryToken }),
  };
  return Object.keys(credentials).length > 0 ? credentials : undefined;
}

/** Texts of a request's credentials that must not appear anywhere. */
export function secretsOf(credentials: RegistryCredentials | undefined): string[] {
  const { password, identityToken, registryToken } = credentials ?? {};
  return [password, identityToken, registryToken].filter((secret) => secret !== undefined && secret.length >= 3) as string[];
}

/** Keys without regard to case, as Go reads them. */
function parseObject(text: string): ReadonlyMap<string, unknown> {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== "object" || value === null) return new Map();
    return new Map(Object.entries(value).map(([key, field]) => [key.toLowerCase(), field]));
  } catch {
    return new Map(); // no JSON: as if it were not there
  }
}

/** The field of config.json: base64 of `user:password`. */
function splitAuth(auth: string | undefined): { username: string | undefined; password: string | undefined } {
  const decoded = auth === undefined ? "" : Buffer.from(auth, "base64").toString();
  const colon = decoded.indexOf(":");
  if (colon <= 0) return { username: undefined, password: undefined };
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}
