import type { ServerResponse } from "node:http";
import { pumpBody } from "./pump-body.ts";
import type { ApiResponse, ResponseHeaders } from "./response.ts";

/**
 * Sends an answer by node:http. Resolves when everything is handed over, or when the client has left.
 * @throws what the body throws; the answer is then incomplete and the caller breaks the connection off
 */
export async function writeResponse(to: ServerResponse, response: ApiResponse, common: ResponseHeaders, isHead: boolean): Promise<void> {
  const { status, body } = response;
  const headers: Record<string, string | string[]> = {};
  for (const [name, value] of [...Object.entries(common), ...Object.entries(response.headers)])
    headers[name] = typeof value === "string" ? value : [...value];
  const bodiless = status === 204 || status === 304;
  if (body === undefined || typeof body === "string" || body instanceof Uint8Array) {
    const length = typeof body === "string" ? Buffer.byteLength(body) : (body?.length ?? 0);
    if (!bodiless && headers["Content-Length"] === undefined) headers["Content-Length"] = String(length);
    to.writeHead(status, headers);
    to.end(bodiless || isHead ? undefined : body);
    return;
  }
  to.writeHead(status, headers);
  if (isHead) {
    to.end();
    return;
  }
  to.flushHeaders();
  if (await pumpBody(body, to, (chunk) => chunk)) to.end();
}
