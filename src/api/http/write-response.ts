import type { ServerResponse } from "node:http";
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
  await pump(body, to);
}

async function pump(body: AsyncIterable<Uint8Array | string>, to: ServerResponse): Promise<void> {
  const iterator = body[Symbol.asyncIterator]();
  for (;;) {
    // The body may wait for its next chunk for hours: a client that leaves ends the wait.
    const next = await unlessGone(to, () => iterator.next());
    if (!next) {
      // A generator in the middle of a wait ends when the wait does, for its signal aborts too. Nobody waits for that here.
      iterator.return?.().catch(() => {});
      return;
    }
    if (next.done) break;
    if (next.value.length > 0 && !to.write(next.value)) await unlessGone(to, () => new Promise((resolve) => to.once("drain", resolve)));
  }
  to.end();
}

/** The result of a wait, or undefined when the client leaves first. */
async function unlessGone<T>(to: ServerResponse, wait: () => Promise<T>): Promise<T | undefined> {
  if (to.destroyed) return undefined;
  let leave = (): void => {};
  const gone = new Promise<undefined>((resolve) => to.once("close", (leave = () => resolve(undefined))));
  try {
    return await Promise.race([wait(), gone]);
  } finally {
    to.off("close", leave);
  }
}
