import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import { pumpBody } from "./pump-body.ts";
import type { ApiResponse, ResponseHeaders } from "./response.ts";
import { writeTo } from "./socket.ts";

export interface RawResponseOptions {
  /** Whether the next request may follow on this connection. */
  readonly keepAlive: boolean;
  /** The request was HEAD: no body is sent. */
  readonly isHead?: boolean;
}

/**
 * Writes a whole answer onto a connection that node:http does not see. Resolves when everything is handed over, or when the client has left.
 * A streamed body is sent in chunks, or ends with a connection that is not kept. Source: RFC 9112, 6 and 7.1.
 * @throws what the body throws; the answer is then incomplete and the caller breaks the connection off
 */
export async function writeRawResponse(
  socket: Duplex,
  response: ApiResponse,
  common: ResponseHeaders,
  { keepAlive, isHead = false }: RawResponseOptions,
): Promise<void> {
  const { status, body } = response;
  const streamed = typeof body === "object" && !(body instanceof Uint8Array) ? body : undefined;
  const content = streamed || body === undefined ? emptyBody : typeof body === "string" ? Buffer.from(body) : (body as Uint8Array);
  const isBodiless = status === 204 || status === 304;
  const framing = streamed ? (keepAlive ? ["Transfer-Encoding: chunked"] : []) : [`Content-Length: ${content.length}`];
  const isFramed = isBodiless || response.headers["Content-Length"] !== undefined;
  const head = headText(response, common, [...(isFramed ? [] : framing), ...(keepAlive ? [] : ["Connection: close"])]);
  if (!streamed || isHead || isBodiless) {
    await writeTo(socket, isHead || isBodiless || content.length === 0 ? head : Buffer.concat([head, content]));
    return;
  }
  await writeTo(socket, head);
  const isChunked = keepAlive && !isFramed;
  if (!(await pumpBody(streamed, socket, isChunked ? chunkOf : (chunk) => chunk)) || !isChunked) return;
  await writeTo(socket, "0\r\n\r\n");
}

const emptyBody = new Uint8Array(0);

function headText({ status, headers }: ApiResponse, common: ResponseHeaders, framing: readonly string[]): Buffer {
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Unknown"}`];
  for (const [name, value] of Object.entries({ ...common, ...headers, Date: new Date().toUTCString() })) {
    for (const one of typeof value === "string" ? [value] : value) lines.push(`${name}: ${one.replace(/[\r\n\0]/g, " ")}`);
  }
  return Buffer.from(`${[...lines, ...framing].join("\r\n")}\r\n\r\n`, "latin1");
}

function chunkOf(chunk: Uint8Array | string): Uint8Array {
  const bytes = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
  return Buffer.concat([Buffer.from(`${bytes.length.toString(16)}\r\n`), bytes, lineEnd]);
}

const lineEnd = Buffer.from("\r\n");
