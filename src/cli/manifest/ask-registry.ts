import type { ConfigFile } from "#client/config-file.ts";
import { EngineError, type ErrorKind } from "#lib/errors.ts";
import { askInternal } from "../internal.ts";
import { registryAuth } from "../registry/credentials.ts";
import { repositoryOf } from "./names.ts";

/** Platform of an image in a list. */
export interface Platform {
  readonly architecture: string;
  readonly os: string;
  readonly "os.version"?: string;
  readonly "os.features"?: readonly string[];
  readonly variant?: string;
}

/** A manifest as a registry has it. */
export interface FetchedDocument {
  readonly digest: string;
  readonly mediaType: string;
  /** Base64. */
  readonly bytes: string;
  readonly platform: Platform;
}

export type Fetched =
  | { readonly kind: "manifest"; readonly document: FetchedDocument }
  | { readonly kind: "index"; readonly documents: readonly FetchedDocument[] };

export interface ListPush {
  readonly target: string;
  readonly manifests: readonly {
    readonly digest: string;
    readonly mediaType: string;
    readonly bytes: string;
    readonly from: string;
    readonly blobs: readonly string[];
  }[];
  readonly list: { readonly mediaType: string; readonly bytes: string };
}

/** Asks a registry, not a daemon: with the log-in of this user. @throws {EngineError} as the registry's client tells it */
export class Registry {
  readonly #config: ConfigFile;
  readonly #insecure: boolean;

  constructor(config: ConfigFile, insecure: boolean) {
    this.#config = config;
    this.#insecure = insecure;
  }

  /** @param reference  in full, with a tag or a digest */
  fetch(reference: string): Promise<Fetched> {
    return this.#ask<Fetched>(reference, { action: "fetch", reference });
  }

  /** @returns the digest of the list */
  push(push: ListPush): Promise<string> {
    return this.#ask<string>(push.target, { action: "push", ...push });
  }

  async #ask<T>(reference: string, request: object): Promise<T> {
    const auth = await registryAuth(this.#config, repositoryOf(reference));
    const reply = await askInternal(["registry"], { ...request, insecure: this.#insecure, ...(auth !== undefined && { auth }) });
    // Our own executable has answered.
    const { result, error } = reply as { readonly result?: T; readonly error?: { readonly kind: ErrorKind; readonly message: string } };
    if (error) throw new EngineError(error.kind, error.message);
    return result as T;
  }
}
