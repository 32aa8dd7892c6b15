import { version } from "#lib/version.ts";
import { ByteStream } from "./byte-stream.ts";
import type { Address, Endpoint } from "./endpoint.ts";
import { ConnectionError, DaemonError } from "./errors.ts";
import { isReusable, readBody, readHead, type RequestBody, type ResponseHead, writeRequest } from "./http.ts";
import { jsonMessages } from "./json-messages.ts";

/** The newest version of the Engine API whose shapes this client knows. */
export const clientApiVersion = "1.51";

/** Answers held in memory as a whole (lists, inspections) may not be larger than this. */
const maximumAnswerBytes = 64 * 1024 * 1024;
const maximumIdle = 4;

export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

export interface CallOptions {
  readonly query?: Query;
  /** Sent as JSON. */
  readonly json?: unknown;
  /** Sent as it is, with `contentType`. */
  readonly body?: RequestBody;
  readonly contentType?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly signal?: AbortSignal | undefined;
}

/** A connection that was taken over, with the headers of the answer. */
export interface Hijacked extends Pick<ResponseHead, "headers"> {
  readonly stream: ByteStream;
}

export interface Answer extends ResponseHead {
  readonly body: AsyncGenerator<Uint8Array, void>;
}

/** HTTP to one daemon: keep-alive, API version negotiation, hijacked streams, errors with Docker's wording. */
export class Transport {
  readonly endpoint: Endpoint;
  #headers: Readonly<Record<string, string>> = { "User-Agent": `Gantry-Client/${version} (linux)` };
  readonly #idle: ByteStream[] = [];
  /** Connections nobody has used yet. */
  readonly #fresh: ByteStream[] = [];
  #apiVersion: string | undefined;
  #negotiation: Promise<string> | undefined;
  #address: Address | undefined;

  /** @param options.apiVersion  spoken without asking the daemon (DOCKER_API_VERSION) */
  constructor(endpoint: Endpoint, options: { readonly apiVersion?: string | undefined } = {}) {
    this.endpoint = endpoint;
    this.#apiVersion = options.apiVersion || undefined;
  }

  /** Sent with every request from now on; they do not go before our own. */
  addHeaders(headers: Readonly<Record<string, string>>): void {
    this.#headers = { ...headers, ...this.#headers };
  }

  /** The address in use, or the first that will be tried. */
  get address(): Address {
    return this.#address ?? this.endpoint.addresses[0];
  }

  /** The version spoken with this daemon: the older one of ours and the daemon's. */
  async apiVersion(): Promise<string> {
    if (this.#apiVersion) return this.#apiVersion;
    this.#negotiation ??= this.#negotiate();
    this.#apiVersion = await this.#negotiation;
    return this.#apiVersion;
  }

  async #negotiate(): Promise<string> {
    const answer = await this.#exchange("HEAD", "/_ping", {});
    for await (const _ of answer.body); // none: gives the connection back
    const offered = answer.headers.get("api-version");
    return offered && olderVersion(offered, clientApiVersion) ? offered : clientApiVersion;
  }

  /** A request whose answer streams. @throws {DaemonError} for an error status, {ConnectionError} when nobody answers. */
  async stream(method: string, path: string, options: CallOptions = {}): Promise<Answer> {
    // What cannot be sent twice waits until the version is known.
    if (options.body !== undefined) await this.apiVersion();
    const answer = await this.#exchange(method, this.#target(path, options.query), options);
    if (answer.status >= 400) {
      const error = await daemonError(answer);
      const spoken = this.#apiVersion === undefined ? newestVersionIn(error) : undefined;
      if (spoken === undefined) throw error;
      this.#apiVersion = spoken;
      return this.stream(method, path, options);
    }
    this.#apiVersion ??= clientApiVersion;
    return answer;
  }

  /** The answer's text. */
  async text(method: string, path: string, options: CallOptions = {}): Promise<string> {
    return readText((await this.stream(method, path, options)).body);
  }

  /** The answer's JSON, `undefined` if there is none. `T` is what the API promises; readers treat every field as optional. */
  async json<T>(method: string, path: string, options: CallOptions = {}): Promise<T> {
    const text = await this.text(method, path, options);
    try {
      return (text.trim() === "" ? undefined : JSON.parse(text)) as T;
    } catch (error) {
      throw new ConnectionError(`the answer of ${method} ${path} is no JSON`, { cause: error });
    }
  }

  /** The answer's JSON objects, one after the other. */
  async *messages<T>(method: string, path: string, options: CallOptions = {}): AsyncGenerator<T, void> {
    yield* jsonMessages((await this.stream(method, path, options)).body) as AsyncGenerator<T, void>;
  }

  /**
   * Asks for the connection itself (attach, exec). After this it carries bytes in both directions, and belongs to the caller.
   * Source: Engine API, "Hijacking".
   */
  async hijack(path: string, options: CallOptions = {}): Promise<Hijacked> {
    await this.apiVersion();
    const target = this.#target(path, options.query);
    const stream = this.#take(this.#fresh) ?? (await this.#connect());
    try {
      const body = options.json === undefined ? undefined : jsonBody(options.json);
      const headers = {
        ...this.#headers,
        "Content-Type": body ? "application/json" : "text/plain",
        Connection: "Upgrade",
        Upgrade: "tcp",
      };
      await writeRequest(stream, { method: "POST", path: target, host: hostHeader(this.address), headers }, body);
      const head = await readHead(stream);
      if (head.status !== 101 && head.status !== 200) throw await daemonError({ ...head, body: readBody(stream, head, "POST") });
      return { stream, headers: head.headers };
    } catch (error) {
      stream.close();
      throw error;
    }
  }

  /** Connects, so that the next request finds a connection. What fails is told by that request. */
  async connectAhead(): Promise<void> {
    this.#fresh.push(await this.#connect());
  }

  /** Closes the connections that are not in use. */
  close(): void {
    for (const stream of [...this.#idle.splice(0), ...this.#fresh.splice(0)]) stream.close();
  }

  /** Asked before the version is agreed on, a daemon that is older refuses the request, and says what it speaks. */
  #target(path: string, query: Query | undefined): string {
    return `/v${this.#apiVersion ?? clientApiVersion}${path}${queryText(query)}`;
  }

  async #exchange(method: string, path: string, options: CallOptions): Promise<Answer> {
    options.signal?.throwIfAborted();
    const held = this.#take(this.#idle) ?? this.#take(this.#fresh);
    try {
      return await this.#exchangeOn(held ?? (await this.#connect()), method, path, options);
    } catch (error) {
      // The daemon may have closed a connection that we kept; what changes nothing can be asked again.
      if (!held || (method !== "GET" && method !== "HEAD") || options.signal?.aborted || error instanceof DaemonError) throw error;
      return this.#exchangeOn(await this.#connect(), method, path, options);
    }
  }

  async #exchangeOn(stream: ByteStream, method: string, path: string, options: CallOptions): Promise<Answer> {
    const { signal } = options;
    const onAbort = (): void => stream.close(signal?.reason);
    signal?.addEventListener("abort", onAbort, { once: true });
    const release = (isComplete: boolean, head?: ResponseHead): void => {
      signal?.removeEventListener("abort", onAbort);
      if (isComplete && head && isReusable(head, method) && stream.isOpen && this.#idle.length < maximumIdle) this.#idle.push(stream);
      else stream.close();
    };
    try {
      const body = options.json === undefined ? options.body : jsonBody(options.json);
      const contentType = options.json === undefined ? options.contentType : "application/json";
      const headers = { ...this.#headers, ...(contentType ? { "Content-Type": contentType } : {}), ...options.headers };
      const head = await this.#send(stream, { method, path, headers }, body);
      return { ...head, body: released(readBody(stream, head, method), (isComplete) => release(isComplete, head)) };
    } catch (error) {
      release(false);
      throw signal?.aborted ? signal.reason : connectionError(error, this.address);
    }
  }

  /** Reading begins beside the writing: a daemon may refuse an upload before it has ended. */
  async #send(
    stream: ByteStream,
    request: { readonly method: string; readonly path: string; readonly headers: Readonly<Record<string, string>> },
    body: RequestBody | undefined,
  ): Promise<ResponseHead> {
    const writing = writeRequest(stream, { ...request, host: hostHeader(this.address) }, body);
    if (!body || body instanceof Uint8Array) {
      await writing;
      return readHead(stream);
    }
    // What broke the upload is told by the answer, when there is one.
    const failed = writing.then(
      () => new Promise<never>(() => {}),
      (error: unknown) => Promise.reject(error),
    );
    const head = readHead(stream);
    head.catch(() => {});
    try {
      return await Promise.race([head, failed]);
    } catch (error) {
      return await head.catch(() => Promise.reject(error));
    }
  }

  #take(from: ByteStream[]): ByteStream | undefined {
    for (;;) {
      const stream = from.pop();
      if (!stream || stream.isOpen) return stream;
      stream.close();
    }
  }

  async #connect(): Promise<ByteStream> {
    if (this.#address) return connectTo(this.#address);
    let first: unknown;
    for (const address of this.endpoint.addresses) {
      try {
        const stream = await ByteStream.connect(address);
        this.#address = address;
        return stream;
      } catch (error) {
        first ??= connectionError(error, address);
        if (!isAbsent(error)) throw connectionError(error, address);
      }
    }
    throw first;
  }
}

async function connectTo(address: Address): Promise<ByteStream> {
  try {
    return await ByteStream.connect(address);
  } catch (error) {
    throw connectionError(error, address);
  }
}

const codeOf = (error: unknown): string => (error instanceof Error && "code" in error ? String(error.code) : "");

const isAbsent = (error: unknown): boolean => ["ENOENT", "ECONNREFUSED", "ENOTDIR"].includes(codeOf(error));

function connectionError(error: unknown, address: Address): unknown {
  if (error instanceof DaemonError) return error;
  const code = codeOf(error);
  if (isAbsent(error) || (address.kind === "unix" && code === "EINVAL"))
    return new ConnectionError(`Cannot connect to the Docker daemon at ${address.url}. Is the docker daemon running?`, { cause: error });
  if (code === "EACCES" || code === "EPERM")
    return new ConnectionError(`permission denied while trying to connect to the Docker daemon socket at ${address.url}`, { cause: error });
  const reason = error instanceof Error ? error.message : String(error);
  return new ConnectionError(`error during connect: ${address.url}: ${reason}`, { cause: error });
}

function hostHeader(address: Address): string {
  if (address.kind === "unix") return "localhost";
  return `${address.host.includes(":") ? `[${address.host}]` : address.host}:${address.port}`;
}

function jsonBody(value: unknown): Uint8Array {
  return new TextEncoder().encode(`${JSON.stringify(value)}\n`);
}

function queryText(query: Query | undefined): string {
  if (!query) return "";
  const parts: string[] = [];
  for (const [name, value] of Object.entries(query)) {
    if (value === undefined) continue;
    for (const one of Array.isArray(value) ? value : [value])
      parts.push(`${encodeURIComponent(name)}=${encodeURIComponent(flagText(one))}`);
  }
  return parts.length > 0 ? `?${parts.join("&")}` : "";
}

/** Docker's clients write booleans as 1 and 0. */
const flagText = (value: string | number | boolean): string => (typeof value === "boolean" ? (value ? "1" : "0") : String(value));

/** True when version `one` is older than `other`: `1.9` is older than `1.51`. */
export function olderVersion(one: string, other: string): boolean {
  const [major = 0, minor = 0] = one.split(".").map(Number);
  const [otherMajor = 0, otherMinor = 0] = other.split(".").map(Number);
  return major < otherMajor || (major === otherMajor && minor < otherMinor);
}

async function daemonError(answer: Answer): Promise<DaemonError> {
  const text = await readText(answer.body);
  let detail = text.trim();
  try {
    const parsed = JSON.parse(text) as { message?: unknown } | null;
    if (typeof parsed?.message === "string") detail = parsed.message.trim();
  } catch {
    // a proxy's plain text is shown as it is
  }
  return new DaemonError(answer.status, detail || `request returned ${answer.status} ${answer.reason}`);
}

async function readText(body: AsyncIterable<Uint8Array>): Promise<string> {
  const decoder = new TextDecoder();
  let text = "";
  let received = 0;
  for await (const chunk of body) {
    received += chunk.byteLength;
    if (received > maximumAnswerBytes) throw new ConnectionError("the daemon's answer is too large");
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}

/** Passes a body on, and tells at its end whether it was read completely. */
async function* released(body: AsyncGenerator<Uint8Array, void>, release: (isComplete: boolean) => void): AsyncGenerator<Uint8Array, void> {
  let isComplete = false;
  try {
    yield* body;
    isComplete = true;
  } finally {
    release(isComplete);
  }
}

/** The version that a daemon names which refuses ours as too new. */
function newestVersionIn({ status, detail }: DaemonError): string | undefined {
  return status === 400 ? /is too new\. Maximum supported API version is (\d+\.\d+)/.exec(detail)?.[1] : undefined;
}
