import { abortion } from "#lib/async.ts";
import { EngineError } from "#lib/errors.ts";
import { buildCommit, version } from "#lib/version.ts";
import { parseChallenges } from "./challenge.ts";
import { secretsOf } from "./credentials.ts";
import { isInsecure } from "./endpoints.ts";
import { connectionFailure } from "./failure.ts";
import { readRefusal } from "./refusal.ts";
import { answerChallenge, type Send } from "./token.ts";
import type { RegistryCredentials, RegistryEndpoint, RegistrySettings } from "./types.ts";

const maximumRedirects = 10;
const redirectStatus = new Set([301, 302, 303, 307, 308]);
/** From the request to the head of the answer. */
const answerTimeoutMilliseconds = 30_000;
const userAgent = `gantry/${version} (${buildCommit}; linux)`;

export interface TransportOptions {
  readonly endpoint: RegistryEndpoint;
  /** Path of the repository below the registry: the scope of tokens. */
  readonly repository: string;
  readonly credentials: RegistryCredentials | undefined;
  readonly settings: RegistrySettings;
}

export interface RegistryRequest {
  readonly method: "GET" | "HEAD";
  /** Path and query below the endpoint. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
}

/**
 * HTTP with one endpoint for one repository: logs in when asked to, follows redirects by hand. Credentials and tokens go to the endpoint's own
 * scheme, host and port and to the token server it names, nowhere else.
 */
export class RegistryTransport {
  readonly #options: TransportOptions;
  readonly #credentials: RegistryCredentials | undefined;
  #authorization: string | undefined;
  #login: Promise<string | undefined> | undefined;

  constructor(options: TransportOptions) {
    this.#options = options;
    this.#credentials = options.endpoint.isMirror ? undefined : options.credentials;
    const token = this.#credentials?.registryToken;
    if (token !== undefined && /^[\x21-\x7e]+$/.test(token)) this.#authorization = `Bearer ${token}`;
  }

  /** What must not be repeated to anyone. */
  get secrets(): string[] {
    const sent = this.#authorization?.split(" ")[1]; // a token, or name and password in base64
    return [...secretsOf(this.#credentials), ...(sent === undefined ? [] : [sent])];
  }

  /**
   * The last answer of a chain of redirects, whatever its status. The caller consumes or cancels the body.
   * @throws {ConnectionFailure} without an answer; {RegistryRefusal} of the token server; the signal's reason
   */
  async request(request: RegistryRequest, signal: AbortSignal): Promise<Response> {
    const used = this.#authorization;
    const response = await this.#follow(request, used, signal);
    // The answer of a redirect's target says nothing about our log-in.
    if (response.status !== 401 || !this.#isOwn(new URL(response.url || this.#options.endpoint.origin))) return response;
    if (this.#authorization === used) {
      this.#authorization = await this.#sharedLogin(response, signal);
    }
    if (this.#authorization === undefined || this.#authorization === used) return response;
    await response.body?.cancel();
    return this.#follow(request, this.#authorization, signal);
  }

  /** Requests at the same time log in once; the one that leaves early does not take the others' log-in with it. */
  async #sharedLogin(response: Response, signal: AbortSignal): Promise<string | undefined> {
    const limit = AbortSignal.timeout(2 * answerTimeoutMilliseconds);
    this.#login ??= this.#logIn(response, limit).finally(() => (this.#login = undefined));
    const aborted = abortion(signal);
    try {
      return await Promise.race([this.#login, aborted.promise]);
    } finally {
      aborted.dispose();
    }
  }

  async #logIn(response: Response, signal: AbortSignal): Promise<string | undefined> {
    const challenges = parseChallenges(response.headers.get("www-authenticate"));
    const scope = `repository:${this.#options.repository}:pull`;
    const send: Send = (url, init) => this.#send(url, init, signal);
    const answer = await answerChallenge(challenges, this.#credentials, scope, (realm) => this.#mayLogInAt(realm), send);
    if (answer instanceof Response) throw await readRefusal(answer, "other", this.secrets);
    return answer;
  }

  /** A token server has its own host (Docker Hub's does), but never less protection than the registry. */
  #mayLogInAt(realm: URL): boolean {
    if (realm.protocol === "https:") return true;
    return this.#options.endpoint.origin.startsWith("http:") && isInsecure(realm.host, this.#options.settings.insecureRegistries ?? []);
  }

  async #follow(request: RegistryRequest, authorization: string | undefined, signal: AbortSignal): Promise<Response> {
    let url = new URL(request.path, this.#options.endpoint.origin);
    for (let hop = 0; hop <= maximumRedirects; hop++) {
      const headers = new Headers(request.headers);
      if (authorization !== undefined && this.#isOwn(url)) headers.set("authorization", authorization);
      const response = await this.#send(url, { method: request.method, headers }, signal);
      const location = redirectStatus.has(response.status) ? response.headers.get("location") : null;
      if (location === null) return response;
      await response.body?.cancel();
      url = this.#target(location, url);
    }
    throw new EngineError("internal", `stopped after ${maximumRedirects} redirects`);
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

  async #send(
    url: URL,
    init: { readonly method: string; readonly headers: Headers; readonly body?: string },
    signal: AbortSignal,
  ): Promise<Response> {
    signal.throwIfAborted();
    init.headers.set("user-agent", userAgent);
    init.headers.set("accept-encoding", "identity"); // digests and sizes are those of the bytes on the wire
    const timeout = new AbortController();
    const timer = setTimeout(() => timeout.abort(new DOMException("no answer", "TimeoutError")), answerTimeoutMilliseconds);
    try {
      return await fetch(url.href, {
        ...init,
        redirect: "manual",
        decompress: false,
        tls: { rejectUnauthorized: !this.#isInsecure(url) },
        signal: AbortSignal.any([signal, timeout.signal]),
      });
    } catch (error) {
      signal.throwIfAborted();
      throw await connectionFailure(error, url);
    } finally {
      clearTimeout(timer);
    }
  }
}
