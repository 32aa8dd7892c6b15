import { abortion } from "#lib/async.ts";
import { EngineError } from "#lib/errors.ts";
import { buildCommit, version } from "#lib/version.ts";
import { readHostCertificates, type HostCertificates } from "./certificates.ts";
import { parseChallenges, type Challenge } from "./challenge.ts";
import { secretsOf } from "./credentials.ts";
import { isInsecure } from "./endpoints.ts";
import { connectionFailure, LogInRefusal, noCredentials, RegistryRefusal } from "./failure.ts";
import { proxyFor } from "./proxy.ts";
import { readRefusal } from "./refusal.ts";
import { answerChallenge, type LogIn, type Send, type SendOptions, type TokenScope } from "./token.ts";
import type { RegistryCredentials, RegistryEndpoint, RegistrySettings } from "./types.ts";

const maximumRedirects = 10;
const redirectStatus = new Set([301, 302, 303, 307, 308]);
/** From the request to the head of the answer. */
const answerTimeoutMilliseconds = 30_000;
const userAgent = `gantry/${version} (${buildCommit}; linux)`;

export interface TransportOptions {
  readonly endpoint: RegistryEndpoint;
  /** What tokens are asked for, when the registry wants some. */
  readonly scopes: readonly TokenScope[];
  readonly credentials: RegistryCredentials | undefined;
  readonly settings: RegistrySettings;
  /** A log-in for good: token servers are asked for a refresh token too. */
  readonly isOffline?: boolean;
}

export interface RegistryRequest {
  readonly method: "GET" | "HEAD" | "POST" | "PUT" | "PATCH" | "DELETE";
  /** Path and query below the endpoint, or a whole URL which the registry has named. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: RequestBody;
  /** Scopes of this request beside those of all. */
  readonly scopes?: readonly TokenScope[];
  /** Aborts when its sender has waited long enough; it is not limited otherwise. */
  readonly patience?: AbortSignal;
}

/** Opened for each attempt: a log-in or a redirect may come in between. */
export interface RequestBody {
  /** Absent where it is not known yet: the body is sent in chunks. */
  readonly sizeBytes?: number;
  open(): Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array>;
}

/**
 * HTTP with one endpoint for one repository: logs in when asked to, follows redirects by hand. Credentials and tokens go to the endpoint's own
 * scheme, host and port and to the token server it names, nowhere else.
 */
export class RegistryTransport {
  readonly #options: TransportOptions;
  readonly #credentials: RegistryCredentials | undefined;
  /** Of the last 401 of the endpoint. */
  #challenges: readonly Challenge[] = [];
  /** By scopes. */
  readonly #logIns = new Map<string, LogIn>();
  readonly #running = new Map<string, Promise<LogIn | undefined>>();
  readonly #certificates = new Map<string, Promise<HostCertificates>>();

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#credentials = options.endpoint.isMirror ? undefined : options.credentials;
    const token = this.#credentials?.registryToken;
    if (token !== undefined && /^[\x21-\x7e]+$/.test(token))
      this.#logIns.set(scopeKey(options.scopes), { authorization: `Bearer ${token}` });
  }

  get endpoint(): RegistryEndpoint {
    return this.#options.endpoint;
  }

  /** What must not be repeated to anyone. */
  get secrets(): string[] {
    const sent = [...this.#logIns.values()].flatMap(({ authorization, refreshToken }) => [authorization.split(" ")[1], refreshToken]);
    return [...secretsOf(this.#credentials), ...sent.filter((secret) => secret !== undefined)]; // a token, or name and password in base64
  }

  /** What the token server gave for later log-ins without the password. */
  get refreshToken(): string | undefined {
    return this.#logIns.get(scopeKey(this.#options.scopes))?.refreshToken;
  }

  /**
   * The last answer of a chain of redirects, whatever its status. The caller consumes or cancels the body.
   * @throws {ConnectionFailure} without an answer; {RegistryRefusal} of the token server; the signal's reason
   */
  async request(request: RegistryRequest, signal: AbortSignal): Promise<Response> {
    const scopes = [...this.#options.scopes, ...(request.scopes ?? [])];
    const logIn = async (): Promise<LogIn | undefined> => {
      try {
        return await this.#sharedLogIn(scopes, signal);
      } catch (error) {
        const { method, path } = request;
        throw error instanceof RegistryRefusal ? new LogInRefusal({ method, url: this.#first(path) }, error) : error;
      }
    };
    const used = this.#logIns.get(scopeKey(scopes)) ?? (this.#challenges.length > 0 ? await logIn() : undefined);
    const response = await this.#follow(request, used, signal);
    // The answer of a redirect's target says nothing about our log-in.
    if (response.status !== 401 || !this.#isOwn(new URL(response.url || this.#options.endpoint.origin))) return response;
    this.#challenges = parseChallenges(response.headers.get("www-authenticate"));
    const current = this.#logIns.get(scopeKey(scopes));
    const renewed = current === used ? await logIn() : current;
    if (renewed === undefined || renewed.authorization === used?.authorization) return response;
    await response.body?.cancel();
    return this.#follow(request, renewed, signal);
  }

  /** Asks nothing but how the registry wants to be logged in at. @throws {ConnectionFailure} when nobody answers */
  async greet(signal: AbortSignal): Promise<void> {
    const response = await this.#follow({ method: "GET", path: "/v2/" }, undefined, signal);
    if (response.status === 401) this.#challenges = parseChallenges(response.headers.get("www-authenticate"));
    await response.body?.cancel();
  }

  /** Requests at the same time log in once; the one that leaves early does not take the others' log-in with it. */
  async #sharedLogIn(scopes: readonly TokenScope[], signal: AbortSignal): Promise<LogIn | undefined> {
    const key = scopeKey(scopes);
    const running = this.#running.get(key) ?? this.#logIn(scopes).finally(() => this.#running.delete(key));
    this.#running.set(key, running);
    const aborted = abortion(signal);
    try {
      return await Promise.race([running, aborted.promise]);
    } finally {
      aborted.dispose();
    }
  }

  async #logIn(scopes: readonly TokenScope[]): Promise<LogIn | undefined> {
    const limit = AbortSignal.timeout(2 * answerTimeoutMilliseconds);
    const send: Send = (url, init) => this.#send(url, init, limit);
    const answer = await answerChallenge(this.#challenges, {
      credentials: this.#credentials,
      scopes,
      isOffline: this.#options.isOffline ?? false,
      isAllowed: (realm) => this.#mayLogInAt(realm),
      send,
    });
    if (answer instanceof Response) throw await readRefusal(answer, "other", this.secrets);
    if (!answer && this.#challenges.some(({ scheme }) => scheme === "basic")) throw noCredentials();
    if (answer) this.#logIns.set(scopeKey(scopes), answer);
    return answer;
  }

  /** A token server has its own host (Docker Hub's does), but never less protection than the registry. */
  #mayLogInAt(realm: URL): boolean {
    if (realm.protocol === "https:") return true;
    return this.#options.endpoint.origin.startsWith("http:") && isInsecure(realm.host, this.#options.settings.insecureRegistries ?? []);
  }

  async #follow(request: RegistryRequest, logIn: LogIn | undefined, signal: AbortSignal): Promise<Response> {
    let url = this.#first(request.path);
    for (let hop = 0; hop <= maximumRedirects; hop++) {
      const headers = new Headers(request.headers);
      if (logIn && this.#isOwn(url)) headers.set("authorization", logIn.authorization);
      const { method, body, patience } = request;
      const response = await this.#send(url, { method, headers, ...(body && { body }), ...(patience && { patience }) }, signal);
      const location = isFollowed(method, response.status) ? response.headers.get("location") : null;
      if (location === null) return response;
      await response.body?.cancel();
      url = this.#target(location, url);
    }
    throw new EngineError("internal", `stopped after ${maximumRedirects} redirects`);
  }

  #first(path: string): URL {
    const { origin, namespace } = this.#options.endpoint;
    const url = path.startsWith("/") ? new URL(path, origin) : this.#target(path, new URL(origin));
    if (namespace !== undefined) url.searchParams.set("ns", namespace);
    return url;
  }

  #isOwn(url: URL): boolean {
    return url.origin === this.#options.endpoint.origin;
  }

  #target(location: string, from: URL): URL {
    const url = URL.canParse(location, from.href) ? new URL(location, from) : undefined;
    const isPlain = url?.protocol === "http:";
    const isAllowed = url?.protocol === "https:" || (isPlain && from.protocol === "http:" && this.#isInsecure(url));
    if (!url || !isAllowed || url.username || url.password)
      throw new EngineError("internal", "the registry redirects to a place that is not allowed");
    return url;
  }

  #isInsecure(url: URL): boolean {
    return isInsecure(url.host, this.#options.settings.insecureRegistries ?? []);
  }

  async #send(url: URL, { method, headers, body, patience }: SendOptions, signal: AbortSignal): Promise<Response> {
    signal.throwIfAborted();
    headers.set("user-agent", userAgent);
    headers.set("accept-encoding", "identity"); // digests and sizes are those of the bytes on the wire
    const content = typeof body === "object" ? body.open() : body;
    if (typeof body === "object" && body.sizeBytes !== undefined) headers.set("content-length", String(body.sizeBytes));
    const certificates = url.protocol === "https:" ? await this.#certificatesFor(url.host) : {};
    const proxy = proxyFor(url, this.#options.settings.proxies);
    const timeout = new AbortController();
    const expire = (): void => timeout.abort(new DOMException("no answer", "TimeoutError"));
    const timer = patience ? undefined : setTimeout(expire, answerTimeoutMilliseconds);
    try {
      return await fetch(url.href, {
        method,
        headers,
        ...(content !== undefined && { body: content }),
        redirect: "manual",
        decompress: false,
        tls: { rejectUnauthorized: !this.#isInsecure(url), ...tlsOptions(certificates) },
        // Of the daemon's settings alone, never of the environment as this runtime reads it.
        proxy: proxy === undefined ? false : { url: proxy, respectNoProxy: false },
        signal: AbortSignal.any([signal, patience ?? timeout.signal]),
      });
    } catch (error) {
      signal.throwIfAborted();
      throw await connectionFailure(error, url, method);
    } finally {
      clearTimeout(timer);
    }
  }

  #certificatesFor(host: string): Promise<HostCertificates> {
    const known = this.#certificates.get(host) ?? readHostCertificates(host, this.#options.settings.certificateFolders ?? []);
    known.catch(() => this.#certificates.delete(host));
    this.#certificates.set(host, known);
    return known;
  }
}

/** What would change the method of an upload is an answer like any other. */
function isFollowed(method: string, status: number): boolean {
  if (method === "GET" || method === "HEAD") return redirectStatus.has(status);
  return status === 307 || status === 308;
}

function tlsOptions({ ca, cert, key }: HostCertificates): { ca?: string[]; cert?: string; key?: string } {
  return { ...(ca && { ca: [...ca] }), ...(cert !== undefined && { cert }), ...(key !== undefined && { key }) };
}

function scopeKey(scopes: readonly TokenScope[]): string {
  return scopes.join(" ");
}
