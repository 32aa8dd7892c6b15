import { EngineError, messageOf } from "#lib/errors.ts";

/** What a URL has given. */
export interface RemoteArchive {
  readonly body: AsyncIterable<Uint8Array>;
  /** Undefined when the server does not tell. */
  readonly sizeBytes: number | undefined;
}

/** Of an answer that is an error: as much as is shown. */
const shownBytes = 4096;

/** Of `import`: without a scheme it is http. @throws {EngineError} `invalid` for what is no URL */
export function parseSource(text: string): URL {
  const url = URL.parse(text.includes("://") ? text : `http://${text}`);
  if (!url) throw new EngineError("invalid", `parse ${JSON.stringify(text)}: invalid URL`);
  if (url.protocol !== "http:" && url.protocol !== "https:")
    throw new EngineError("not_found", `Get ${JSON.stringify(text)}: unsupported protocol scheme "${url.protocol.slice(0, -1)}"`);
  return url;
}

/** @throws {EngineError} with Docker's texts when nobody answers, or with an error */
export async function fetchArchive(url: URL, signal: AbortSignal): Promise<RemoteArchive> {
  const response = await fetch(url, { signal }).catch((error: unknown) => {
    signal.throwIfAborted();
    throw new EngineError("internal", `Get ${JSON.stringify(url.href)}: ${reasonOf(error)}`, { cause: error });
  });
  if (!response.ok) throw await refusal(url, response);
  const length = response.headers.get("content-length");
  return { body: chunksOf(response), sizeBytes: length === null || response.headers.has("content-encoding") ? undefined : Number(length) };
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  return code === "ECONNREFUSED" || code === "ConnectionRefused" ? "connection refused" : messageOf(error);
}

async function refusal(url: URL, response: Response): Promise<EngineError> {
  const shown: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of chunksOf(response)) {
    shown.push(chunk);
    bytes += chunk.length;
    if (bytes >= shownBytes) break;
  }
  const text = Buffer.concat(shown).subarray(0, shownBytes).toString();
  const kind = response.status === 404 ? "not_found" : response.status < 500 ? "invalid" : "unavailable";
  return new EngineError(kind, `failed to GET ${url.href} with status ${response.status} ${response.statusText}: ${text}`);
}

async function* chunksOf({ body }: Response): AsyncGenerator<Uint8Array, void> {
  if (body) for await (const chunk of body) yield chunk;
}
