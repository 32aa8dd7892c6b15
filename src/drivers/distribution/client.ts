import type { Reference } from "#lib/reference.ts";
import { parseMirror } from "./endpoints.ts";
import { logIn, type LogInResult } from "./log-in.ts";
import { PushTarget } from "./push-target.ts";
import { RemoteRepository } from "./repository.ts";
import { searchIndex, type IndexSearch, type SearchResult } from "./search.ts";
import type { RegistryCredentials, RegistrySettings } from "./types.ts";

/** Client of remote registries. Source: OCI distribution-spec 1.1. */
export class RegistryClient {
  readonly #settings: RegistrySettings;

  /** @throws {EngineError} `invalid` for a mirror that cannot be one */
  constructor(settings: RegistrySettings = {}) {
    const mirrors = [...(settings.mirrors ?? []), ...Object.values(settings.mirrorsByRegistry ?? {}).flat()];
    for (const mirror of mirrors) parseMirror(mirror);
    this.#settings = settings;
  }

  /** The repository of a reference. Nothing is sent yet. */
  repository(reference: Reference, credentials: RegistryCredentials | undefined): RemoteRepository {
    return new RemoteRepository(reference, credentials, this.#settings);
  }

  /** The repository to push to; its registry has answered. */
  pushTarget(
    reference: Pick<Reference, "domain" | "path">,
    credentials: RegistryCredentials | undefined,
    signal: AbortSignal,
  ): Promise<PushTarget> {
    return PushTarget.open(reference, credentials, this.#settings, signal);
  }

  /** Checks credentials at a registry. @see logIn */
  logIn(server: string, credentials: RegistryCredentials, signal: AbortSignal): Promise<LogInResult> {
    return logIn({ server, credentials, settings: this.#settings }, signal);
  }

  /** @see searchIndex */
  search(search: IndexSearch, signal: AbortSignal): Promise<readonly SearchResult[]> {
    return searchIndex(search, this.#settings, signal);
  }
}
