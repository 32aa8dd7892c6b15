import { connect, createServer, isIPv6, type Server, type Socket } from "node:net";
import type { Logger } from "#lib/log.ts";
import { messageOf } from "#lib/errors.ts";
import type { PortLease } from "./ports.ts";

const maximumConnections = 4096;
const maximumSessions = 1024;
const sessionIdleMilliseconds = 90_000;
const sweepMilliseconds = 30_000;

/** Carries traffic that the kernel cannot redirect from a host port to a container. Owns the socket of its lease. */
export interface Forwarder {
  close(): void;
}

/** A forwarder for a lease whose port is forwarded by the daemon; undefined for the others. */
export function forwarderOf(lease: PortLease, log: Logger): Forwarder | undefined {
  if (!lease.forwarded || lease.descriptor === undefined) return undefined;
  const target = { address: lease.targetAddress, port: lease.published.containerPort };
  return lease.published.protocol === "udp"
    ? new UdpForwarder(lease.descriptor, target, log)
    : new TcpForwarder(lease.descriptor, target, log);
}

interface Target {
  readonly address: string;
  readonly port: number;
}

class TcpForwarder implements Forwarder {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  constructor(descriptor: number, target: Target, log: Logger) {
    // Half-open: a client that has said everything still waits for its answer.
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#carry(client, target));
    this.#server.maxConnections = maximumConnections;
    this.#server.on("error", (error) => log.warn("port forwarder", { error: messageOf(error) }));
    this.#server.listen({ fd: descriptor });
  }

  close(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #carry(client: Socket, target: Target): void {
    const server = connect({ host: target.address, port: target.port, allowHalfOpen: true });
    for (const [socket, other] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.on("error", () => other.destroy());
      socket.on("close", () => this.#sockets.delete(socket));
      socket.pipe(other);
    }
  }
}

interface Session {
  readonly socket: Bun.udp.ConnectedSocket<"buffer">;
  lastUsedAt: number;
}

/** One connected socket per client, as long as there is traffic. */
class UdpForwarder implements Forwarder {
  readonly #target: Target;
  readonly #log: Logger;
  readonly #sessions = new Map<string, Session | Promise<void>>();
  readonly #timer: ReturnType<typeof setInterval>;
  #socket: Bun.udp.Socket<"buffer"> | undefined;
  #isClosed = false;

  constructor(descriptor: number, target: Target, log: Logger) {
    this.#target = target;
    this.#log = log;
    this.#timer = setInterval(() => this.#sweep(), sweepMilliseconds);
    this.#timer.unref();
    this.#listen(descriptor).catch((error: unknown) => log.warn("port forwarder", { error: messageOf(error) }));
  }

  close(): void {
    this.#isClosed = true;
    clearInterval(this.#timer);
    this.#socket?.close();
    for (const session of this.#sessions.values()) if (!(session instanceof Promise)) session.socket.close();
    this.#sessions.clear();
  }

  async #listen(descriptor: number): Promise<void> {
    // `fd` is carried out by Bun but missing in its types.
    const options = {
      fd: descriptor,
      binaryType: "buffer" as const,
      socket: {
        data: (_: unknown, packet: Buffer, port: number, address: string) => this.#receive(Buffer.from(packet), port, address),
      },
    };
    const socket = await Bun.udpSocket(options);
    this.#socket = socket;
    if (this.#isClosed) socket.close();
  }

  #receive(packet: Buffer, port: number, address: string): void {
    const key = `${address} ${port}`;
    const session = this.#sessions.get(key);
    if (session instanceof Promise) {
      session.then(
        () => this.#send(key, packet),
        () => {}, // the session's own failure is logged where it was opened
      );
    } else if (session) this.#send(key, packet);
    else if (this.#sessions.size < maximumSessions) {
      const opening = this.#open(key, port, address).then(() => this.#send(key, packet));
      this.#sessions.set(key, opening);
      opening.catch((error: unknown) => {
        this.#sessions.delete(key);
        this.#log.warn("port forwarder", { error: messageOf(error) });
      });
    }
  }

  async #open(key: string, port: number, address: string): Promise<void> {
    const socket = await Bun.udpSocket({
      hostname: isIPv6(this.#target.address) ? "::" : "0.0.0.0",
      binaryType: "buffer",
      connect: { hostname: this.#target.address, port: this.#target.port },
      socket: {
        data: (_, answer) => void this.#socket?.send(Buffer.from(answer), port, address),
        error: () => {}, // the container refuses: so does UDP, silently
      },
    });
    if (this.#isClosed) socket.close();
    else this.#sessions.set(key, { socket, lastUsedAt: performance.now() });
  }

  #send(key: string, packet: Buffer): void {
    const session = this.#sessions.get(key);
    if (!session || session instanceof Promise) return;
    session.lastUsedAt = performance.now();
    session.socket.send(packet);
  }

  #sweep(): void {
    const oldest = performance.now() - sessionIdleMilliseconds;
    for (const [key, session] of this.#sessions) {
      if (session instanceof Promise || session.lastUsedAt > oldest) continue;
      session.socket.close();
      this.#sessions.delete(key);
    }
  }
}
