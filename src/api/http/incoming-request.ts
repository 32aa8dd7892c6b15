import type { IncomingMessage } from "node:http";
import { bodyBrokenOff, bodyTooLarge, collectBody } from "./body.ts";
import { defaultBodyLimitBytes, type ApiRequest, type Peer } from "./request.ts";
import type { RouteMatch } from "./router.ts";

/** The parts of a request that do not depend on how its bytes are read. */
export interface RequestSource {
  readonly method: string;
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly peer: Peer;
  readonly signal: AbortSignal;
  readonly body: () => AsyncIterable<Uint8Array>;
}

export function apiRequest(source: RequestSource, match: RouteMatch): ApiRequest {
  const { method, headers, peer, signal } = source;
  const { path, params, query, apiVersion } = match;
  return {
    method,
    headers,
    peer,
    signal,
    path,
    params,
    query,
    apiVersion,
    body: async (limitBytes = defaultBodyLimitBytes) => {
      if (Number(headers["content-length"] ?? 0) > limitBytes) throw bodyTooLarge();
      return collectBody(source.body(), limitBytes);
    },
    bodyStream: () => source.body(),
  };
}

/** The body of a request that node:http reads. Leaving it early does not close the connection: an answer is still to be sent on it. */
export async function* incomingBody(request: IncomingMessage): AsyncGenerator<Uint8Array, void, void> {
  try {
    for await (const chunk of request.iterator({ destroyOnReturn: false })) yield chunk as Uint8Array;
  } catch {
    // Whatever node:http calls it, the client broke off or sent something that is no body.
    throw bodyBrokenOff();
  }
  if (!request.complete) throw bodyBrokenOff();
}

/** Headers by lower-case name; several of one name are joined. */
export function incomingHeaders(request: IncomingMessage): Readonly<Record<string, string | undefined>> {
  const headers: Record<string, string | undefined> = Object.create(null);
  for (const [name, value] of Object.entries(request.headers)) headers[name] = Array.isArray(value) ? value.join(", ") : value;
  return headers;
}

/** How often a header was sent, for those of which node:http keeps only one. */
export function countHeader(request: IncomingMessage, name: string): number {
  let count = 0;
  for (let index = 0; index < request.rawHeaders.length; index += 2) if (request.rawHeaders[index]?.toLowerCase() === name) count++;
  return count;
}
