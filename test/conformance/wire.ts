import { connect } from "node:net";

export interface WireRequest {
  readonly method: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Uint8Array;
  /** Sent once the answer's head is there: the input of a hijacked stream. */
  readonly input?: string;
  /** Shuts the sending side after `input`. */
  readonly endInput?: boolean;
  /** Hangs up as soon as the head is there: for streams without an end. */
  readonly headOnly?: boolean;
  readonly limitMilliseconds?: number;
}

export interface WireAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: Buffer;
}

const headEnd = Buffer.from("\r\n\r\n");

/**
 * One request on a connection of its own, read to its end. Written on plain sockets because the plays need what HTTP clients hide:
 * hijacked streams, half-closed ones, and requests no client would send.
 */
export function exchange(socketPath: string, request: WireRequest): Promise<WireAnswer> {
  const body = request.body === undefined ? undefined : Buffer.from(request.body);
  const headers: Record<string, string> = { Host: "docker", Connection: "close", ...request.headers };
  if (body) headers["Content-Length"] ??= String(body.length);
  else if (request.method === "POST" || request.method === "PUT") headers["Content-Length"] ??= "0";
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return new Promise((resolve, reject) => {
    const socket = connect({ path: socketPath, allowHalfOpen: true });
    const chunks: Buffer[] = [];
    let headSeen = false;
    const what = `${request.method} ${request.path}`;
    const timer = setTimeout(
      () => finish(() => reject(new Error(`${what}: no end within the limit; so far ${JSON.stringify(Buffer.concat(chunks).toString())}`))),
      request.limitMilliseconds ?? 20_000,
    );
    const finish = (settle: () => void): void => {
      clearTimeout(timer);
      socket.destroy();
      settle();
    };
    const done = (): void => finish(() => settleWith(Buffer.concat(chunks), what, resolve, reject));
    socket.on("connect", () => {
      // In one piece: a server may refuse the head and close before a second one arrives.
      const head = Buffer.from(`${request.method} ${request.path} HTTP/1.1\r\n${lines.join("")}\r\n`);
      socket.write(body ? Buffer.concat([head, body]) : head);
    });
    socket.on("data", (chunk: Buffer) => {
      chunks.push(chunk);
      if (headSeen || !Buffer.concat(chunks).includes(headEnd)) return;
      headSeen = true;
      if (request.input !== undefined) socket.write(request.input);
      if (request.endInput) socket.end();
      if (request.headOnly) done();
    });
    socket.on("end", done);
    // A server that does not read a body it refuses resets the connection after its answer.
    socket.on("error", (error) => (headSeen ? done() : finish(() => reject(new Error(`${what}: ${error.message}`)))));
  });
}

function settleWith(bytes: Buffer, what: string, resolve: (answer: WireAnswer) => void, reject: (error: Error) => void): void {
  const end = bytes.indexOf(headEnd);
  if (end < 0) return reject(new Error(`${what}: the connection ended without an answer`));
  const [statusLine = "", ...lines] = bytes.subarray(0, end).toString().split("\r\n");
  const headers = Object.fromEntries(
    lines.map((line): [string, string] => [line.slice(0, line.indexOf(":")).toLowerCase(), line.slice(line.indexOf(":") + 1).trim()]),
  );
  const rest = bytes.subarray(end + headEnd.length);
  const body = headers["transfer-encoding"] === "chunked" ? joinChunks(rest) : rest;
  resolve({ status: Number(statusLine.split(" ")[1]), headers, body });
}

function joinChunks(bytes: Buffer): Buffer {
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length;) {
    const lineEnd = bytes.indexOf("\r\n", at);
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString(), 16);
    if (lineEnd < 0 || !(size > 0)) break;
    parts.push(bytes.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
  return Buffer.concat(parts);
}

/** Splits the frames of a multiplexed stream. Source: Engine API, ContainerAttach, "Stream format". */
export function splitFrames(bytes: Buffer): { stdout: string; stderr: string; frames: readonly string[] } {
  const text: [string, string, string] = ["", "", ""];
  const frames: string[] = [];
  for (let at = 0; at + 8 <= bytes.length;) {
    const stream = bytes.readUInt8(at);
    const size = bytes.readUInt32BE(at + 4);
    const content = bytes.subarray(at + 8, at + 8 + size).toString();
    if (stream <= 2) text[stream] += content;
    frames.push(`${stream}:${content}`);
    at += 8 + size;
  }
  return { stdout: text[0] + text[1], stderr: text[2], frames };
}
