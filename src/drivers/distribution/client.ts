import type { Reference } from "#lib/reference.ts";
import { parseMirror } from "./endpoints.ts";
import { RemoteRepository } from "./repository.ts";
import type { RegistryCredentials, RegistrySettings } from "./types.ts";

/** Client of remote registries. Source: OCI distribution-spec 1.1. */
export class RegistryClient {
  readonly #settings: RegistrySettings;

  /** @throws {EngineError} `invalid` for a mirror that cannot be one */
  constructor(settings: RegistrySettings = {}) {
    for (const mirror of settings.mirrors ?? []) parseMirror(mirror);
    this.#settings = settings;
  }

  /** The repository of a reference. Nothing is sent yet. */
  repository(reference: Reference, credentials: RegistryCredentials | undefined): RemoteRepository {
    return new RemoteRepository(reference, credentials, this.#settings);
  }
}
