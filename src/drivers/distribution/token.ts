import { EngineError } from "#lib/errors.ts";
import { parseJson } from "#lib/parse-json.ts";
import type { Challenge } from "./challenge.ts";
import { readAtMost } from "./read-body.ts";
import type { RequestBody } from "./transport.ts";
import type { RegistryCredentials } from "./types.ts";

const maximumTokenBytes = 1 << 20;
/** Token servers keep refresh tokens apart by it. */
const clientId = "gantry";

export interface SendOptions {
  readonly method: string;
  readonly headers: Headers;
  readonly body?: string | RequestBody;
  readonly patience?: AbortSignal;
}

/** Sends one request as it is, redirects not followed. */
export type Send = (url: URL, options: SendOptions) => Promise<Response>;

/** What a token is for: `repository:library/busybox:pull`. Source: distribution, "Token Scope". */
export type TokenScope = string;

/** What a log-in has given. */
export interface LogIn {
  /** Value of the header Authorization. */
  readonly authorization: string;
  /** For log-ins to come, instead of the password. */
  readonly refreshToken?: string;
}

export interface LogInOptions {
  readonly credentials: RegistryCredentials | undefined;
  readonly scopes: readonly TokenScope[];
  /** A refresh token is asked for as well. */
  readonly isOffline: boolean;
  /** Says whether credentials may be sent to a token server. */
  readonly isAllowed: (realm: URL) => boolean;
  readonly send: Send;
}

/**
 * Answers a challenge; undefined when there is nothing to answer with.
 * @returns a failed response of the token server instead, for its error
 * Source: distribution, "Token Authentication Specification"; RFC 7617.
 */
export async function answerChallenge(challenges: readonly Challenge[], options: LogInOptions): Promise<LogIn | Response | undefined> {
  const bearer = challenges.find(({ scheme }) => scheme === "bearer");
  if (bearer) return bearerToken(bearer, options);
  const authorization = challenges.some(({ scheme }) => scheme === "basic") ? basic(options.credentials) : undefined;
  return authorization === undefined ? undefined : { authorization };
}

function basic(credentials: RegistryCredentials | undefined): string | undefined {
  const { username, password } = credentials ?? {};
  if (username === undefined || password === undefined) return undefined;
  return `Basic ${Buffer.from(`${username}:${password}`).toString("base64")}`;
}

async function bearerToken({ parameters }: Challenge, options: LogInOptions): Promise<LogIn | Response> {
  const realm = parameters.get("realm") ?? "";
  const url = URL.canParse(realm) ? new URL(realm) : undefined;
  if (!url || (url.protocol !== "https:" && url.protocol !== "http:") || url.username || url.password || !options.isAllowed(url))
    throw new EngineError("internal", "the registry names a token server that is not allowed");
  const response = await requestToken(url, parameters.get("service"), options);
  if (!response.ok) return response;
  const { token, refreshToken } = tokensIn(await readAtMost(response, maximumTokenBytes));
  if (token === undefined) throw new EngineError("internal", "authorization server did not include a token in the response");
  return { authorization: `Bearer ${token}`, ...(refreshToken !== undefined && { refreshToken }) };
}

function requestToken(url: URL, service: string | undefined, { credentials, scopes, isOffline, send }: LogInOptions): Promise<Response> {
  const headers = new Headers({ accept: "application/json" });
  if (credentials?.identityToken !== undefined) {
    headers.set("content-type", "application/x-www-form-urlencoded");
    const form = { grant_type: "refresh_token", refresh_token: credentials.identityToken, client_id: clientId, scope: scopes.join(" ") };
    return send(url, { method: "POST", headers, body: new URLSearchParams({ ...form, service: service ?? "" }).toString() });
  }
  if (service !== undefined) url.searchParams.set("service", service);
  for (const scope of scopes) url.searchParams.append("scope", scope);
  if (isOffline) {
    url.searchParams.set("offline_token", "true");
    url.searchParams.set("client_id", clientId);
  }
  const authorization = basic(credentials);
  if (credentials?.username !== undefined) url.searchParams.set("account", credentials.username);
  if (authorization !== undefined) headers.set("authorization", authorization);
  return send(url, { method: "GET", headers });
}

function tokensIn(body: Uint8Array): { readonly token?: string; readonly refreshToken?: string } {
  try {
    const fields = parseJson(body) as Readonly<Record<string, unknown>> | null;
    const token = asToken(fields?.["token"]) ?? asToken(fields?.["access_token"]);
    const refreshToken = asToken(fields?.["refresh_token"]);
    return { ...(token !== undefined && { token }), ...(refreshToken !== undefined && { refreshToken }) };
  } catch {
    return {}; // no JSON: no token
  }
}

/** A token is sent back in a header: nothing but visible ASCII can be one, and an empty one counts as absent. */
function asToken(value: unknown): string | undefined {
  return typeof value === "string" && /^[\x21-\x7e]+$/.test(value) ? value : undefined;
}
