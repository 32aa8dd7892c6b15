import { closeSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import type { Logger } from "#lib/log.ts";
import { messageOf } from "#lib/errors.ts";
import { destinationNat, destinationPort, ipv4Destination, matchField, matchTransport } from "#os/nftables/expression.ts";
import type { NftablesSocket } from "#os/nftables/nftables-socket.ts";
import { addressBytes } from "#os/netlink/ip-address.ts";
import { uint16BigEndian } from "#os/netlink/message.ts";
import { localAddress, openBoundSocket } from "#os/socket.ts";
import { resolve, serverFailure } from "./dns-answer.ts";
import { askUpstream, framed } from "./dns-upstream.ts";
import type { NameLookup } from "./name-table.ts";

/** Where containers of user-defined networks find their DNS server. */
export const resolverAddress = "127.0.0.11";
const dnsPort = 53;
const maximumQueriesInFlight = 128;
const maximumConnections = 32;
const idleTimeoutMilliseconds = 10_000;
const natOutputHook = 3;
const natPriority = -100;
const protocolNumbers = { udp: 17, tcp: 6 } as const;

/** Descriptors of a resolver's sockets, made inside the sandbox. */
export interface ResolverSockets {
  readonly udp: number;
  readonly tcp: number;
}

/**
 * Opens the sockets; to be called inside the sandbox's namespace, system calls only. They have ports of the kernel's choice, and queries to
 * port 53 are redirected to them: a container that is a DNS server itself can still bind 0.0.0.0:53.
 * @param nftables a socket of the same namespace
 * @param replace  a redirection of an earlier daemon may be there
 */
export function openResolverSockets(nftables: NftablesSocket, replace: boolean): ResolverSockets {
  using undo = new DisposableStack();
  const open = (protocol: "udp" | "tcp"): number => {
    const descriptor = openBoundSocket({ protocol, address: resolverAddress, port: 0, listen: protocol === "tcp" });
    undo.defer(() => closeSync(descriptor));
    return descriptor;
  };
  const sockets = { udp: open("udp"), tcp: open("tcp") };
  const rules = (["udp", "tcp"] as const).map((protocol) => [
    ...matchField(ipv4Destination, addressBytes(resolverAddress)),
    ...matchTransport(protocolNumbers[protocol]),
    ...matchField(destinationPort, uint16BigEndian(dnsPort)),
    ...destinationNat(addressBytes(resolverAddress), uint16BigEndian(localAddress(sockets[protocol]).port)),
  ]);
  nftables.makeNatTable(
    { family: "ip", name: "resolver", chain: { name: "output", hook: natOutputHook, priority: natPriority, rules } },
    replace,
  );
  undo.move();
  return sockets;
}

export interface ResolverBehaviour {
  readonly names: NameLookup;
  /** Servers for other names, asked at each query; none: the sandbox has no way out and other names fail. */
  readonly upstream: () => readonly string[];
  readonly log: Logger;
}

/** The DNS server of one sandbox. Owns its sockets. */
export class EmbeddedResolver {
  readonly #behaviour: ResolverBehaviour;
  readonly #connections = new Set<Socket>();
  readonly #server: Server;
  #socket: Bun.udp.Socket<"buffer"> | undefined;
  #inFlight = 0;
  #isClosed = false;

  constructor(sockets: ResolverSockets, behaviour: ResolverBehaviour) {
    this.#behaviour = behaviour;
    this.#server = createServer((connection) => this.#serve(connection));
    this.#server.on("error", (error) => this.#warn(error));
    this.#server.listen({ fd: sockets.tcp });
    // Queries that come before wait in the socket.
    this.#listen(sockets.udp).catch((error: unknown) => this.#warn(error));
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.close();
    this.#server.close();
    for (const connection of this.#connections) connection.destroy();
  }

  async #listen(descriptor: number): Promise<void> {
    // `fd` is carried out by Bun but missing in its types.
    const options = {
      fd: descriptor,
      binaryType: "buffer" as const,
      socket: {
        data: (socket: Bun.udp.Socket<"buffer">, query: Buffer, port: number, address: string) =>
          this.#receive(socket, Buffer.from(query), port, address),
        error: (_: unknown, error: Error) => this.#warn(error),
      },
    };
    const socket = await Bun.udpSocket(options);
    this.#socket = socket;
    if (this.#isClosed) socket.close();
  }

  #receive(socket: Bun.udp.Socket<"buffer">, query: Buffer, port: number, address: string): void {
    this.#answer(query, "udp").then(
      (answer) => answer && !this.#isClosed && socket.send(answer, port, address),
      (error: unknown) => this.#warn(error),
    );
  }

  async #answer(query: Buffer, transport: "udp" | "tcp"): Promise<Buffer | undefined> {
    const resolution = resolve(query, this.#behaviour.names, transport);
    if (resolution.type === "ignore") return undefined;
    if (resolution.type === "answer") return resolution.message;
    const upstream = this.#behaviour.upstream();
    if (upstream.length === 0 || this.#inFlight >= maximumQueriesInFlight) return serverFailure(query);
    this.#inFlight++;
    try {
      return (await askUpstream(query, upstream, transport)) ?? serverFailure(query);
    } finally {
      this.#inFlight--;
    }
  }

  #serve(connection: Socket): void {
    if (this.#connections.size >= maximumConnections) return void connection.destroy();
    this.#connections.add(connection);
    connection.setTimeout(idleTimeoutMilliseconds, () => connection.destroy());
    connection.on("close", () => this.#connections.delete(connection));
    this.#converse(connection).then(
      () => connection.end(),
      () => connection.destroy(), // the client broke off
    );
  }

  /** One query after the other: what comes meanwhile waits in the kernel. */
  async #converse(connection: Socket): Promise<void> {
    let received: Uint8Array = Buffer.alloc(0);
    for await (const chunk of connection as AsyncIterable<Buffer>) {
      received = Buffer.concat([received, chunk]);
      for (let query = firstMessage(received); query; query = firstMessage(received)) {
        received = received.subarray(query.length + 2);
        const answer = await this.#answer(query, "tcp");
        if (!answer) return;
        connection.write(framed(answer));
      }
    }
  }

  #warn(error: unknown): void {
    this.#behaviour.log.warn("embedded DNS server", { error: messageOf(error) });
  }
}

/** The first whole message of a TCP stream; undefined until it is there. */
function firstMessage(received: Uint8Array): Buffer | undefined {
  const bytes = Buffer.from(received.buffer, received.byteOffset, received.length);
  if (bytes.length < 2 || bytes.length < bytes.readUInt16BE(0) + 2) return undefined;
  return Buffer.from(bytes.subarray(2, bytes.readUInt16BE(0) + 2));
}
