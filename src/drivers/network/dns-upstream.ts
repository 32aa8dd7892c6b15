import { connect, isIPv6 } from "node:net";
import { isAnswerTo } from "./dns-answer.ts";

const dnsPort = 53;
const attemptTimeoutMilliseconds = 4000;
/** Docker asks the first three servers of a list. */
const maximumServers = 3;
/** Queries on their way upstream, of all sandboxes together: each holds a socket. */
const maximumInFlight = 1024;
const maximumMessage = 65535;

let inFlight = 0;

/**
 * Asks the upstream servers in turn, over the transport the client used, from the host's own network namespace.
 * @returns the first answer; undefined when none came in time or too many queries are on their way
 */
export async function askUpstream(
  query: Buffer,
  servers: readonly string[],
  transport: "udp" | "tcp",
  port = dnsPort,
): Promise<Buffer | undefined> {
  if (inFlight >= maximumInFlight) return undefined;
  inFlight++;
  try {
    for (const server of servers.slice(0, maximumServers)) {
      const answer = await (transport === "udp" ? askByUdp(query, server, port) : askByTcp(query, server, port));
      if (answer && !isFailure(answer)) return answer;
    }
    return undefined;
  } finally {
    inFlight--;
  }
}

/** SERVFAIL and REFUSED say nothing about the name: another server may know. */
function isFailure(answer: Buffer): boolean {
  const code = answer.readUInt16BE(2) & 0xf;
  return code === 2 || code === 5;
}

/** One socket per query: a fresh port each time makes forged answers hard, and a connected socket drops those of others. */
async function askByUdp(query: Buffer, server: string, port: number): Promise<Buffer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const timer = setTimeout(resolve, attemptTimeoutMilliseconds, undefined);
  let socket: Bun.udp.ConnectedSocket<"buffer"> | undefined;
  try {
    socket = await Bun.udpSocket({
      hostname: isIPv6(server) ? "::" : "0.0.0.0",
      binaryType: "buffer",
      connect: { hostname: server, port },
      socket: {
        data(_, answer) {
          if (isAnswerTo(query, answer)) resolve(Buffer.from(answer));
        },
        error: () => resolve(undefined), // nobody listens there
      },
    });
    socket.send(query);
    return await promise;
  } catch {
    return undefined; // no route, or an address that is none: the next server may answer
  } finally {
    clearTimeout(timer);
    socket?.close();
  }
}

function askByTcp(query: Buffer, server: string, port: number): Promise<Buffer | undefined> {
  const { promise, resolve } = Promise.withResolvers<Buffer | undefined>();
  const socket = connect({ host: server, port });
  const timer = setTimeout(resolve, attemptTimeoutMilliseconds, undefined);
  let received = Buffer.alloc(0);
  socket.on("connect", () => socket.write(framed(query)));
  socket.on("data", (chunk: Buffer) => {
    received = Buffer.concat([received, chunk]);
    const length = received.length >= 2 ? received.readUInt16BE(0) : maximumMessage;
    if (received.length < length + 2) return;
    const answer = received.subarray(2, length + 2);
    resolve(isAnswerTo(query, answer) ? answer : undefined);
  });
  socket.on("error", () => resolve(undefined));
  socket.on("close", () => resolve(undefined));
  return promise.finally(() => {
    clearTimeout(timer);
    socket.destroy();
  });
}

/** A message as it travels over TCP: behind its length. Source: RFC 1035, 4.2.2. */
export function framed(message: Buffer): Buffer {
  const length = Buffer.alloc(2);
  length.writeUInt16BE(message.length);
  return Buffer.concat([length, message]);
}
