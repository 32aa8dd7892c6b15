import { EngineError } from "#lib/errors.ts";
import type { Challenge } from "./challenge.ts";
import { readAtMost } from "./read-body.ts";
import type { RegistryCredentials } from "./types.ts";

const maximumTokenBytes = 1 << 20;

/** Sends one request as it is, redirects not followed. */
export type Send = (url: URL, init: { readonly method: string; readonly headers: Headers; readonly body?: string }) => Promise<Response>;

/** What a token is for: `repository:library/busybox:pull`. Source: distribution, "Token Scope". */
export type TokenScope = string;

/**
 * The value of Authorization that answers a challenge; undefined when there is nothing to answer with.
 * @param isAllowed  says whether credentials may be sent to a token server
 * @returns a failed response of the token server instead, for its error
 * Source: distribution, "Token Authentication Specification"; RFC 7617.
 */
export async function answerChallenge(
  challenges: readonly Challenge[],
  credentials: RegistryCredentials | undefined,
  scope: TokenScope,
  isAllowed: (realm: URL) => boolean,
  send: Send,
): Promise<string | Response | undefined> {
  const bearer = challenges.find(({ scheme }) => scheme === "bearer");
  if (bearer) return bearerToken(bearer, credentials, scope, isAllowed, send);
  const isBasic = challenges.some(({ scheme }) => scheme === "basic");
  return isBasic ? basic(credentials) : undefined;
}

function basic(credentials: RegistryCredentials | undefined): string | undefined {
  const { username, password } = credentials ?? {};
  if (username === undefined || password === undefined) return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

async function bearerToken(
  { parameters }: Challenge,
  credentials: RegistryCredentials | undefined,
  scope: TokenScope,
  isAllowed: (realm: URL) => boolean,
  send: Send,
): Promise<string | Response | undefined> {
  const realm = parameters.get("realm") ?? "";
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  if (!url || (url.protocol !== "https:" && url.protocol !== "http:") || url.username || url.password || !isAllowed(url))
    throw new EngineError("internal", "the registry names a token server that is not allowed");
  const response = await requestToken(url, { service: parameters.get("service"), scope, credentials, send });
  if (!response.ok) return response;
  const token = tokenIn(await readAtMost(response, maximumTokenBytes));
  if (token === undefined) throw new EngineError("internal", "authorization server did not include a token in the response");
  return `Bearer ${token}`;
}

interface TokenRequest {
  readonly service: string | undefined;
  readonly scope: TokenScope;
  readonly credentials: RegistryCredentials | undefined;
  readonly send: Send;
}

function requestToken(url: URL, { service, scope, credentials, send }: TokenRequest): Promise<Response> {
  const headers = new Headers({ accept: "application/json" });
  if (credentials?.identityToken !== undefined) {
    headers.set("content-type", "application/x-www-form-urlencoded");
    const form = { grant_type: "refresh_token", refresh_token: credentials.identityToken, client_id: "gantry", scope };
    return send(url, { method: "POST", headers, body: new URLSearchParams({ ...form, service: service ?? "" }).toString() });
  }
  if (service !== undefined) url.searchParams.set("service", service);
  url.searchParams.set("scope", scope);
  const authorization = basic(credentials);
  if (credentials?.username !== undefined) url.searchParams.set("account", credentials.username);
  if (authorization !== undefined) headers.set("authorization", authorization);
  return send(url, { method: "GET", headers });
}

/** A token is sent back in a header: nothing but visible ASCII can be one. */
function tokenIn(body: Uint8Array): string | undefined {
  try {
    const { token, access_token: accessToken } = JSON.parse(Buffer.from(body).toString()) as { token?: unknown; access_token?: unknown };
    const value = token || accessToken; // an empty one counts as absent
    return typeof value === "string" && /^[\x21-\x7e]+$/.test(value) ? value : undefined;
  } catch {
    return undefined; // no JSON: no token
  }
}
