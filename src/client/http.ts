import type { ByteStream } from "./byte-stream.ts";
import { ConnectionError } from "./errors.ts";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** A head beyond this is hostile: Docker's own are below one kilobyte. */
const maximumHeadBytes = 256 * 1024;
const maximumLineBytes = 16 * 1024;

/** What goes to the daemon. Bytes are sent with their length, a stream is sent in chunks. */
export type RequestBody = Uint8Array | AsyncIterable<Uint8Array>;

export interface RequestHead {
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ResponseHead {
  readonly status: number;
  readonly reason: string;
  /** Names in lower case; of repeated fields the last one counts (the daemon repeats none that matters). */
  readonly headers: ReadonlyMap<string, string>;
}

/** Writes one request. Source: RFC 9112. */
export async function writeRequest(stream: ByteStream, head: RequestHead, body?: RequestBody): Promise<void> {
  const fields = [`${head.method} ${head.path} HTTP/1.1`, `Host: ${head.host}`];
  for (const [name, value] of Object.entries(head.headers)) fields.push(`${name}: ${value.replace(/[\r\n]/g, " ")}`);
  if (body instanceof Uint8Array) fields.push(`Content-Length: ${body.byteLength}`);
  else if (body) fields.push("Transfer-Encoding: chunked");
  else if (head.method === "POST" || head.method === "PUT") fields.push("Content-Length: 0");
  const text = encoder.encode(`${fields.join("\r\n")}\r\n\r\n`);
  if (body instanceof Uint8Array) return stream.write(concat(text, body)); // one packet for the small ones
  await stream.write(text);
  if (!body) return;
  for await (const chunk of body) {
    if (chunk.byteLength === 0) continue;
    await stream.write(encoder.encode(`${chunk.byteLength.toString(16)}\r\n`));
    await stream.write(chunk);
    await stream.write(encoder.encode("\r\n"));
  }
  await stream.write(encoder.encode("0\r\n\r\n"));
}

/**
 * Reads the head of a response; interim answers (100 Continue) are skipped, 101 is returned.
 * @throws {ConnectionError} when the connection ends before, or what comes is no HTTP.
 */
export async function readHead(stream: ByteStream): Promise<ResponseHead> {
  for (;;) {
    const head = parseHead(await readUntilBlankLine(stream));
    if (head.status >= 200 || head.status === 101) return head;
  }
}

async function readUntilBlankLine(stream: ByteStream): Promise<string> {
  let held = new Uint8Array(0);
  for (;;) {
    const chunk = await stream.read();
    if (!chunk) throw new ConnectionError(held.byteLength === 0 ? "EOF" : "unexpected EOF");
    const from = Math.max(0, held.byteLength - 3);
    held = held.byteLength === 0 ? new Uint8Array(chunk) : concat(held, chunk);
    const end = findBlankLine(held, from);
    if (end >= 0) {
      stream.unread(held.subarray(end));
      return decoder.decode(held.subarray(0, end));
    }
    if (held.byteLength > maximumHeadBytes) throw new ConnectionError("malformed HTTP response: the header is too long");
  }
}

function findBlankLine(bytes: Uint8Array, from: number): number {
  for (let at = bytes.indexOf(10, from); at >= 0; at = bytes.indexOf(10, at + 1)) {
    if (bytes[at + 1] === 10) return at + 2;
    if (bytes[at + 1] === 13 && bytes[at + 2] === 10) return at + 3;
  }
  return -1;
}

function parseHead(text: string): ResponseHead {
  const [first = "", ...lines] = text.split(/\r?\n/);
  const match = /^HTTP\/1\.[01] (\d{3})(?: (.*))?$/.exec(first);
  if (!match) throw new ConnectionError(`malformed HTTP response ${JSON.stringify(first.slice(0, 80))}`);
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon > 0) headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  return { status: Number(match[1]), reason: match[2] ?? "", headers };
}

/** True when another request may follow on the same connection, once the body has been read. */
export function isReusable(head: ResponseHead, method: string): boolean {
  if (head.headers.get("connection")?.toLowerCase() === "close" || head.status === 101) return false;
  return hasNoBody(head, method) || head.headers.has("content-length") || isChunked(head);
}

function hasNoBody(head: ResponseHead, method: string): boolean {
  return method === "HEAD" || head.status === 204 || head.status === 304;
}

function isChunked(head: ResponseHead): boolean {
  return head.headers.get("transfer-encoding")?.toLowerCase().includes("chunked") ?? false;
}

/** The body of a response, as it comes. Ends exactly where the body ends. @throws {ConnectionError} when it is cut off. */
export async function* readBody(stream: ByteStream, head: ResponseHead, method: string): AsyncGenerator<Uint8Array, void> {
  if (hasNoBody(head, method)) return;
  if (isChunked(head)) yield* readChunked(stream);
  else if (head.headers.has("content-length")) yield* readLength(stream, Number(head.headers.get("content-length")));
  else for (let chunk = await stream.read(); chunk; chunk = await stream.read()) yield chunk;
}

async function* readLength(stream: ByteStream, length: number): AsyncGenerator<Uint8Array, void> {
  let rest = length;
  if (!Number.isSafeInteger(rest) || rest < 0) throw new ConnectionError("malformed HTTP response: bad Content-Length");
  while (rest > 0) {
    const chunk = await stream.read();
    if (!chunk) throw new ConnectionError("unexpected EOF");
    const part = chunk.subarray(0, rest);
    stream.unread(chunk.subarray(part.byteLength));
    rest -= part.byteLength;
    yield part;
  }
}

async function* readChunked(stream: ByteStream): AsyncGenerator<Uint8Array, void> {
  for (;;) {
    const size = (await readLine(stream)).split(";", 1)[0]?.trim() ?? "";
    if (!/^[0-9a-fA-F]{1,13}$/.test(size)) throw new ConnectionError("malformed HTTP response: bad chunk size");
    const length = Number.parseInt(size, 16);
    if (length === 0) break;
    yield* readLength(stream, length);
    if ((await readLine(stream)) !== "") throw new ConnectionError("malformed HTTP response: chunk too long");
  }
  while ((await readLine(stream)) !== ""); // trailers, bounded by the length of a line and the server's patience
}

async function readLine(stream: ByteStream): Promise<string> {
  let held: Uint8Array = new Uint8Array(0);
  for (;;) {
    const chunk = await stream.read();
    if (!chunk) throw new ConnectionError("unexpected EOF");
    const newline = chunk.indexOf(10);
    if (newline >= 0) {
      stream.unread(chunk.subarray(newline + 1));
      return decoder.decode(concat(held, chunk.subarray(0, newline))).replace(/\r$/, "");
    }
    held = concat(held, chunk);
    if (held.byteLength > maximumLineBytes) throw new ConnectionError("malformed HTTP response: line too long");
  }
}

/** The two arrays in one. */
export function concat(first: Uint8Array, second: Uint8Array): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(first.byteLength + second.byteLength);
  whole.set(first);
  whole.set(second, first.byteLength);
  return whole;
}
