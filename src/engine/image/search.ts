import type { RegistryClient } from "#drivers/distribution/client.ts";
import { parseRegistryAuth } from "#drivers/distribution/credentials.ts";
import type { SearchResult } from "#drivers/distribution/search.ts";

export type { SearchResult } from "#drivers/distribution/search.ts";

export interface ImageSearch {
  readonly term: string;
  /** 0: as many as the registry gives at once. */
  readonly limit: number;
  /** Header X-Registry-Auth as it came. */
  readonly auth: string | undefined;
  /** Undefined: both. */
  readonly isOfficial: boolean | undefined;
  readonly minimumStars: number;
}

/** Searches Docker Hub, or the registry that the term begins with. @throws {EngineError} with Docker's texts */
export async function searchImages(registries: RegistryClient, search: ImageSearch, signal: AbortSignal): Promise<SearchResult[]> {
  const { term, limit, auth, minimumStars } = search;
  const results = await registries.search({ term, limit, credentials: parseRegistryAuth(auth) }, signal);
  return results.filter(({ isOfficial, starCount }) => isOfficial === (search.isOfficial ?? isOfficial) && starCount >= minimumStars);
}
