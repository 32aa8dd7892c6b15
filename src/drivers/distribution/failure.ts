import { isIP } from "node:net";
import { lookup } from "node:dns/promises";
import { EngineError, messageOf } from "#lib/errors.ts";
import { familiarName, familiarReference, type Reference } from "#lib/reference.ts";

/** The registry has answered, and not with what was asked for. */
export class RegistryRefusal extends Error {
  override readonly name = "RegistryRefusal";
  readonly status: number;
  /** As in the answer (`MANIFEST_UNKNOWN`), or what its status stands for. Source: OCI distribution-spec, "Error Codes". */
  readonly code: string;
  /** From Retry-After, when there is one. */
  readonly retryAfterSeconds: number | undefined;

  constructor(status: number, code: string, text: string, retryAfterSeconds?: number) {
    super(text);
    this.status = status;
    this.code = code;
    this.retryAfterSeconds = retryAfterSeconds;
  }
}

/** The log-in that a registry wants before it answers has failed. Its message names the request, as Docker's does. */
export class LogInRefusal extends RegistryRefusal {
  /** Without the request. */
  readonly reason: string;

  constructor(request: { readonly method: string; readonly url: URL }, refusal: RegistryRefusal) {
    super(refusal.status, refusal.code, `${requestName(request.method, request.url)}: ${refusal.message}`, refusal.retryAfterSeconds);
    this.reason = refusal.message;
  }
}

/** A registry that takes passwords was not given one. */
export function noCredentials(): RegistryRefusal {
  return new RegistryRefusal(401, "NO_CREDENTIALS", "no basic auth credentials");
}

/** `Get "https://registry.example/v2/"`. Without the query: signed URLs carry secrets there. */
function requestName(method: string, url: URL, path = url.pathname): string {
  return `${method.charAt(0)}${method.slice(1).toLowerCase()} "${url.origin}${path}"`;
}

/** The registry could not be spoken to, or fell silent in the middle of its answer. */
export class ConnectionFailure extends Error {
  override readonly name = "ConnectionFailure";
  /** False where trying again at once is of no use: nobody listens, no such host, no TLS. */
  readonly isTransient: boolean;

  constructor(text: string, isTransient: boolean, options?: { cause?: unknown }) {
    super(text, options);
    this.isTransient = isTransient;
  }
}

const lasting = new Set(["ECONNREFUSED", "ENOTFOUND", "EHOSTUNREACH", "ENETUNREACH", "EPROTO"]);

/** Control characters and long pages of HTML have no place in an error. */
export function printable(text: string, maximumLength = 512): string {
  return text
    .replace(/[\u0000-\u001f\u007f]+/g, " ")
    .trim()
    .slice(0, maximumLength);
}

/** Takes passwords and tokens out of what a registry says: a hostile one may repeat them. */
export function withoutSecrets(text: string, secrets: readonly string[]): string {
  return secrets.reduce((result, secret) => result.replaceAll(secret, "<redacted>"), text);
}

/** A failed connection in Go's words, which scripts match on. */
export async function connectionFailure(error: unknown, url: URL, method = "GET"): Promise<ConnectionFailure> {
  const code = (error as NodeJS.ErrnoException).code ?? "";
  // Who has been silent for so long would be silent again.
  const isSilence = (error as Error).name === "TimeoutError";
  const isTransient = !isSilence && !lasting.has(code) && !/CERT|SSL|TLS|SELF_SIGNED|VERIFY/.test(code);
  const isQuestion = method === "GET" || method === "HEAD";
  // Docker greets a registry before it asks for anything, and so names the greeting.
  const name = isQuestion ? requestName("GET", url, url.pathname.startsWith("/v2/") ? "/v2/" : url.pathname) : requestName(method, url);
  return new ConnectionFailure(`${name}: ${await reasonOf(error, url)}`, isTransient, { cause: error });
}

async function reasonOf(error: unknown, url: URL): Promise<string> {
  const host = url.hostname.replace(/^\[|\]$/g, "");
  const port = url.port || (url.protocol === "https:" ? "443" : "80");
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ECONNREFUSED") return `dial tcp ${await addressOf(host, port)}: connect: connection refused`;
  if (code === "ENOTFOUND" || code === "EAI_NONAME") return `dial tcp: lookup ${host}: no such host`;
  if (code === "EHOSTUNREACH") return `dial tcp ${await addressOf(host, port)}: connect: no route to host`;
  if (code === "ENETUNREACH") return `dial tcp ${await addressOf(host, port)}: connect: network is unreachable`;
  if (code === "ETIMEDOUT" || (error as Error).name === "TimeoutError") return "net/http: request canceled (Client.Timeout exceeded)";
  if (code === "EPROTO") return "tls: first record does not look like a TLS handshake";
  if (code === "ECONNRESET") return "unexpected EOF";
  if (code && /SELF_SIGNED|UNABLE_TO_(VERIFY|GET_ISSUER)/.test(code))
    return "tls: failed to verify certificate: x509: certificate signed by unknown authority";
  if (code === "CERT_HAS_EXPIRED") return "tls: failed to verify certificate: x509: certificate has expired or is not yet valid";
  return printable(messageOf(error), 200);
}

async function addressOf(host: string, port: string): Promise<string> {
  const address = isIP(host)
    ? host
    : await lookup(host).then(
        (found) => found.address,
        () => host,
      );
  return address.includes(":") ? `[${address}]:${port}` : `${address}:${port}`;
}

/** A refusal as Docker's clients know it, told for the image that was asked for. Source: moby, distribution/errors.go. */
export function refusalFor(refusal: RegistryRefusal, reference: Reference): EngineError {
  const cause = { cause: refusal };
  const { message } = refusal;
  if (refusal instanceof LogInRefusal)
    return new EngineError(refusal.code === "UNAUTHORIZED" ? "unauthorized" : "internal", message, cause);
  switch (refusal.code) {
    case "DENIED": {
      const text = `pull access denied for ${familiarName(reference)}, repository does not exist or may require 'docker login': ${message}`;
      return new EngineError("not_found", text, cause);
    }
    case "MANIFEST_UNKNOWN":
      return new EngineError("not_found", `manifest for ${familiarReference(reference)} not found: ${message}`, cause);
    case "NAME_UNKNOWN":
      return new EngineError("not_found", `repository ${familiarName(reference)} not found: ${message}`, cause);
    case "BLOB_UNKNOWN":
      return new EngineError("not_found", "unknown blob", cause);
    case "UNAUTHORIZED":
      return new EngineError("unauthorized", message, cause);
    case "TOOMANYREQUESTS":
      return new EngineError("too_many", message, cause);
    default:
      return new EngineError("internal", message, cause);
  }
}
