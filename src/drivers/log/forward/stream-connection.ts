import { readFileSync } from "node:fs";
import net from "node:net";
import tls from "node:tls";
import { deferred, type Deferred } from "#lib/async.ts";
import { EngineError, messageOf } from "#lib/errors.ts";
import type { StreamEndpoint, TlsOptions } from "./address.ts";
import { hostAuthorities } from "./authorities.ts";
import { connectError, resolveHost, type ResolvedAddress } from "./dial.ts";

const connectMilliseconds = 30_000;
const keepAliveMilliseconds = 30_000;
const closeMilliseconds = 1000;

/** A connection that is written to. What it receives is given to `onData`; without one it is thrown away. */
export class StreamConnection implements AsyncDisposable {
  readonly #socket: net.Socket;
  readonly #closed = deferred<void>();
  /** Writes that the kernel has not taken yet. */
  readonly #writes = new Set<Deferred<void>>();
  #failure: EngineError | undefined;
  onData: ((bytes: Buffer) => void) | undefined;

  private constructor(socket: net.Socket) {
    this.#socket = socket;
    socket.on("data", (bytes: Buffer) => this.onData?.(bytes));
    socket.on("error", (error) => this.#fail(messageOf(error)));
    socket.on("end", () => this.#fail("the server has closed the connection"));
    socket.on("close", () => this.#fail("the connection is closed"));
  }

  /** @throws {EngineError} with the text of Go's dialer */
  static async open(endpoint: StreamEndpoint, signal: AbortSignal): Promise<StreamConnection> {
    const { network } = endpoint;
    if (network === "unix") return new StreamConnection(await connect(net.connect({ path: endpoint.path }), "unix", endpoint.path, signal));
    const files = network === "tls" ? readTlsFiles(endpoint.tls) : undefined;
    const place = await resolveHost("tcp", endpoint.host, endpoint.port);
    const socket = await connect(net.connect({ host: place.address, port: place.port }), "tcp", place, signal);
    socket.setKeepAlive(true, keepAliveMilliseconds);
    socket.setNoDelay(true);
    return new StreamConnection(files ? await secure(socket, endpoint.host, files, signal) : socket);
  }

  /** Resolves when nothing can be sent any more. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  get failure(): EngineError | undefined {
    return this.#failure;
  }

  /** Resolves when the kernel has the bytes. @throws {EngineError} when the connection is gone, or `signal` aborts */
  async write(bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    if (this.#failure) throw this.#failure;
    signal.throwIfAborted();
    const written = deferred<void>();
    this.#socket.write(bytes, (error) => (error ? written.reject(error) : written.resolve()));
    written.promise.catch(() => undefined); // whoever waits below may have left
    const abort = (): void => written.reject(signal.reason);
    signal.addEventListener("abort", abort, { once: true });
    this.#writes.add(written);
    try {
      await written.promise;
    } finally {
      this.#writes.delete(written);
      signal.removeEventListener("abort", abort);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#fail("the connection is closed");
  }

  #fail(problem: string): void {
    if (this.#failure) return;
    this.#failure = new EngineError("unavailable", problem);
    // What is on its way may still go, unless the server takes nothing.
    this.#socket.destroySoon();
    setTimeout(() => this.#socket.destroy(), closeMilliseconds).unref();
    for (const write of this.#writes) write.reject(this.#failure);
    this.#closed.resolve();
  }
}

async function connect(socket: net.Socket, network: string, place: ResolvedAddress | string, signal: AbortSignal): Promise<net.Socket> {
  try {
    await event(socket, "connect", signal);
    return socket;
  } catch (error) {
    socket.destroy();
    throw connectError(network, place, error);
  }
}

/** @throws {EngineError} `invalid` with dockerd's text */
function readTlsFiles({ authority, certificate, key, skipVerify }: TlsOptions): tls.ConnectionOptions {
  return {
    rejectUnauthorized: !skipVerify,
    ca: authority ? readTlsFile(authority, `could not read CA certificate ${JSON.stringify(authority)}`) : hostAuthorities(),
    ...((certificate || key) && { cert: readKeyPairFile(certificate ?? ""), key: readKeyPairFile(key ?? "") }),
  };
}

/** @throws {EngineError} `unavailable` with what is wrong with the server's certificate */
async function secure(socket: net.Socket, host: string, options: tls.ConnectionOptions, signal: AbortSignal): Promise<net.Socket> {
  const secured = tls.connect({ ...options, socket, host, ...(net.isIP(host) === 0 && { servername: host }), minVersion: "TLSv1.2" });
  try {
    await event(secured, "secureConnect", signal);
    return secured;
  } catch (error) {
    secured.destroy();
    socket.destroy();
    throw new EngineError("unavailable", `tls: ${messageOf(error)}`, { cause: error });
  }
}

function readKeyPairFile(path: string): Buffer {
  return readTlsFile(path, "Could not load X509 key pair");
}

function readTlsFile(path: string, what: string): Buffer {
  try {
    return readFileSync(path);
  } catch (error) {
    throw new EngineError("invalid", `${what}: open ${path}: no such file or directory`, { cause: error });
  }
}

/** Waits for the event of a socket that connects. */
async function event(socket: net.Socket, name: "connect" | "secureConnect", signal: AbortSignal): Promise<void> {
  const { promise, resolve, reject } = deferred<void>();
  const late = Object.assign(new Error("timed out"), { code: "ETIMEDOUT" });
  const timer = setTimeout(() => reject(late), connectMilliseconds);
  const abort = (): void => reject(signal.reason);
  const closed = (): void => reject(new Error("the server has closed the connection"));
  socket.once(name, resolve);
  socket.once("error", reject);
  socket.once("close", closed);
  signal.addEventListener("abort", abort, { once: true });
  try {
    signal.throwIfAborted();
    await promise;
  } finally {
    clearTimeout(timer);
    socket.off(name, resolve);
    // The listener for errors stays: a late one must not end this thread.
    socket.off("close", closed);
    signal.removeEventListener("abort", abort);
  }
}
