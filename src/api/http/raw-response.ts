import { STATUS_CODES } from "node:http";
import type { Duplex } from "node:stream";
import type { ApiResponse, ResponseHeaders } from "./response.ts";
import { writeTo } from "./socket.ts";

/**
 * Writes a whole answer onto a connection that node:http does not see: an error before a hijack, or the answer of a detached exec.
 * @param keepAlive whether the next request may follow on this connection; a streamed body ends with the connection instead
 */
export async function writeRawResponse(socket: Duplex, response: ApiResponse, common: ResponseHeaders, keepAlive: boolean): Promise<void> {
  const { status, body } = response;
  const streamed = typeof body === "object" && !(body instanceof Uint8Array);
  const content = streamed ? undefined : Buffer.from(body ?? "");
  const lines = [`HTTP/1.1 ${status} ${STATUS_CODES[status] ?? "Unknown"}`];
  for (const [name, value] of Object.entries({ ...common, ...response.headers, Date: new Date().toUTCString() })) {
    for (const one of typeof value === "string" ? [value] : value) lines.push(`${name}: ${one.replace(/[\r\n\0]/g, " ")}`);
  }
  if (content && status !== 204 && status !== 304) lines.push(`Content-Length: ${content.length}`);
  if (!keepAlive) lines.push("Connection: close");
  const head = Buffer.from(`${lines.join("\r\n")}\r\n\r\n`, "latin1");
  await writeTo(socket, content && status !== 304 ? Buffer.concat([head, content]) : head);
  if (streamed) for await (const chunk of body) await writeTo(socket, chunk);
}
