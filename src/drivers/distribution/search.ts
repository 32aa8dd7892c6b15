import { EngineError, messageOf } from "#lib/errors.ts";
import { parseJson } from "#lib/parse-json.ts";
import { originEndpoints } from "./endpoints.ts";
import { ConnectionFailure } from "./failure.ts";
import { readAtMost } from "./read-body.ts";
import { RegistryTransport } from "./transport.ts";
import type { RegistryCredentials, RegistryEndpoint, RegistrySettings } from "./types.ts";

/** Docker Hub's search, which is no part of its registry. */
const hubIndex = "index.docker.io";
const defaultLimit = 25;
const maximumLimit = 100;
const maximumAnswerBytes = 4 << 20;

/** One repository that was found. Source: Engine API, "ImageSearchResponseItem". */
export interface SearchResult {
  readonly name: string;
  readonly description: string;
  readonly starCount: number;
  readonly isOfficial: boolean;
}

export interface IndexSearch {
  /** `TERM`, or `HOST/TERM` for another registry than Docker Hub. */
  readonly term: string;
  /** 0: the registry's page of 25. */
  readonly limit: number;
  readonly credentials: RegistryCredentials | undefined;
}

/**
 * Searches Docker Hub, or another registry that answers the same: `GET /v1/search`.
 * @throws {EngineError} with Docker's texts: `invalid` for a bad term, limit or registry; `internal` for its failure
 */
export async function searchIndex(
  { term, limit, credentials }: IndexSearch,
  settings: RegistrySettings,
  signal: AbortSignal,
): Promise<readonly SearchResult[]> {
  if (/^https?:\/\//.test(term))
    throw new EngineError("invalid", `invalid repository name: repository name (${term}) should not have a scheme`);
  const { host, name } = splitTerm(term);
  const transport = await indexTransport(host, credentials, settings, signal);
  const count = limit === 0 ? defaultLimit : limit;
  if (count < 1 || count > maximumLimit) throw new EngineError("invalid", `limit ${limit} is outside the range of [1, ${maximumLimit}]`);
  const query = `q=${encodeURIComponent(name).replaceAll("%20", "+")}&n=${count}`;
  const request = { method: "GET", path: `/v1/search?${query}`, headers: { "x-docker-token": "true" } } as const;
  const response = await transport.request(request, signal).catch((error: unknown) => {
    throw error instanceof ConnectionFailure ? new EngineError("internal", error.message, { cause: error }) : error;
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new EngineError("internal", `Unexpected status code ${response.status}`);
  }
  return parseResults(await readAtMost(response, maximumAnswerBytes));
}

/** The first component is a registry when it looks like a host. */
function splitTerm(term: string): { readonly host: string; readonly name: string } {
  const slash = term.indexOf("/");
  const first = slash < 0 ? "" : term.slice(0, slash);
  const isHub = !/[.:]/.test(first) && first !== "localhost";
  const host = isHub || first === "docker.io" || first === "index.docker.io" ? hubIndex : first;
  const name = isHub ? term : term.slice(slash + 1);
  return { host, name: host === hubIndex ? name.replace(/^library\//, "") : name };
}

/** Where the index answers: Docker Hub's is known, another one is asked. */
async function indexTransport(
  host: string,
  credentials: RegistryCredentials | undefined,
  settings: RegistrySettings,
  signal: AbortSignal,
): Promise<RegistryTransport> {
  const endpoints = originEndpoints(host, settings);
  const failures: unknown[] = [];
  for (const endpoint of endpoints) {
    const transport = new RegistryTransport({ endpoint, credentials, settings, scopes: ["registry:catalog:search"] });
    if (host === hubIndex) return transport;
    try {
      await ping(transport, signal);
      return transport;
    } catch (error) {
      signal.throwIfAborted();
      failures.push(error);
    }
  }
  throw noIndex(endpoints, failures);
}

async function ping(transport: RegistryTransport, signal: AbortSignal): Promise<void> {
  const response = await transport.request({ method: "GET", path: "/v1/_ping" }, signal);
  await response.body?.cancel();
}

function noIndex(endpoints: readonly RegistryEndpoint[], failures: readonly unknown[]): EngineError {
  const [first = "", second] = failures.map(messageOf);
  const [endpoint] = endpoints;
  const origin = endpoint?.origin ?? "";
  if (second !== undefined)
    return new EngineError(
      "invalid",
      `invalid registry endpoint ${JSON.stringify(`${origin.replace(/^https:/, "http:")}/v1/`)}. HTTPS attempt: ${first}. HTTP attempt: ${second}`,
    );
  const host = new URL(origin).host;
  return new EngineError(
    "invalid",
    `invalid registry endpoint ${origin}/v1/: ${first}. If this private registry supports only HTTP or HTTPS with an unknown CA certificate, ` +
      `add \`--insecure-registry ${host}\` to the daemon's arguments. In the case of HTTPS, if you have access to the registry's CA certificate, ` +
      `no need for the flag; simply place the CA certificate at /etc/docker/certs.d/${host}/ca.crt`,
  );
}

/** What is no repository is left out: the answer is a stranger's. */
function parseResults(body: Uint8Array): SearchResult[] {
  let results: unknown;
  try {
    results = (parseJson(body) as { results?: unknown } | null)?.results ?? [];
  } catch (error) {
    throw new EngineError("internal", `error decoding registry search results: ${syntaxFault(error, body)}`, { cause: error });
  }
  return Array.isArray(results) ? results.flatMap(parseResult) : [];
}

/** In Go's words, as far as scripts could meet them. */
function syntaxFault(error: unknown, body: Uint8Array): string {
  const [first] = Buffer.from(body).toString().trimStart();
  if (first === undefined) return "EOF";
  return first === "{" || first === "[" ? messageOf(error) : `invalid character '${first}' looking for beginning of value`;
}

function parseResult(value: unknown): SearchResult[] {
  if (typeof value !== "object" || value === null || !("name" in value) || typeof value.name !== "string") return [];
  const fields = value as Readonly<Record<string, unknown>>;
  const { description, star_count: starCount, is_official: isOfficial } = fields;
  return [
    {
      name: value.name,
      description: typeof description === "string" ? description : "",
      starCount: typeof starCount === "number" && Number.isSafeInteger(starCount) ? starCount : 0,
      isOfficial: isOfficial === true,
    },
  ];
}
