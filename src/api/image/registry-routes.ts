import { inspectRemote } from "#engine/image/inspect-remote.ts";
import { logInTo } from "#engine/image/log-in.ts";
import type { PushDependencies } from "#engine/image/push.ts";
import { searchImages } from "#engine/image/search.ts";
import { EngineError, messageOf } from "#lib/errors.ts";
import { isDigest } from "#lib/digest.ts";
import { parseReference, withDefaultTag } from "#lib/reference.ts";
import { booleanFilter, queryFilters } from "../decode/filters.ts";
import { parseInteger, queryInteger } from "../decode/query.ts";
import { decodeBody } from "../decode/request-body.ts";
import type { ApiRequest } from "../http/request.ts";
import { json, type ApiResponse } from "../http/response.ts";
import { get, post, type AnyRoute } from "../http/route.ts";

type Registries = PushDependencies["registries"];

/** What is asked of registries and leaves nothing here. Source: Engine API, tags Image, System and Distribution. */
export function registryRoutes(services: { readonly push: Pick<PushDependencies, "registries"> }): AnyRoute[] {
  return [
    post("/auth", (request) => auth(services.push.registries, request)),
    get("/images/search", (request) => search(services.push.registries, request)),
    get("/distribution/:name*/json", (request) => distribution(services.push.registries, request)),
  ];
}

async function auth(registries: Registries, request: ApiRequest): Promise<ApiResponse> {
  const { username = "", password = "", serveraddress = "", identitytoken = "" } = decodeBody("SystemAuth", await request.body()); // of any type
  const credentials = { server: serveraddress, username, password, identityToken: identitytoken };
  return json(200, { Status: "Login Succeeded", IdentityToken: await logInTo(registries, credentials, request.signal) });
}

async function search(registries: Registries, { query, headers, signal }: ApiRequest): Promise<ApiResponse> {
  const filters = queryFilters(query, ["is-automated", "is-official", "stars"]);
  const limit = limitOf(query);
  const isOfficial = booleanFilter(filters, "is-official");
  // Deprecated: nothing is automated any more.
  if (booleanFilter(filters, "is-automated") === true) return json(200, []);
  const minimumStars = Math.max(0, ...(filters.get("stars") ?? []).map(toStars));
  const term = query.get("term") ?? "";
  const request = { term, limit, auth: headers["x-registry-auth"], isOfficial, minimumStars };
  const results = await searchImages(registries, request, signal);
  return json(
    200,
    results.map(({ name, description, starCount, isOfficial: official }) => ({
      star_count: starCount,
      is_official: official,
      name,
      is_automated: false,
      description,
    })),
  );
}

function limitOf(query: URLSearchParams): number {
  try {
    return queryInteger(query, "limit") ?? 0;
  } catch (error) {
    throw new EngineError("invalid", `invalid limit specified: ${messageOf(error)}`, { cause: error });
  }
}

function toStars(text: string): number {
  try {
    return Number(parseInteger("Atoi", text));
  } catch (error) {
    throw new EngineError("invalid", `invalid filter 'stars=${text}': ${messageOf(error)}`, { cause: error });
  }
}

async function distribution(registries: Registries, { params, headers, signal }: ApiRequest<"name">): Promise<ApiResponse> {
  const { name } = params;
  if (isDigest(name) || /^[0-9a-f]{64}$/.test(name)) throw new EngineError("internal", "no manifest found for full image ID");
  const reference = withDefaultTag(parseReference(name));
  const { digest, mediaType, sizeBytes, platforms } = await inspectRemote(
    registries,
    { reference, auth: headers["x-registry-auth"] },
    signal,
  );
  return json(200, { Descriptor: { mediaType, digest, size: sizeBytes }, Platforms: platforms.length > 0 ? platforms : null });
}
