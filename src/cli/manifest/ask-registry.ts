import type { ConfigFile } from "#client/config-file.ts";
import type { FetchReply, PushRequest } from "#types/registry-helper.ts";
import { EngineError, type ErrorKind } from "#lib/errors.ts";
import { askInternal } from "../internal.ts";
import { registryAuth } from "../registry/credentials.ts";
import { repositoryOf } from "./names.ts";

export type ListPush = Omit<PushRequest, "action" | "insecure" | "auth">;

/** Asks a registry, not a daemon: with the log-in of this user. @throws {EngineError} as the registry's client tells it */
export class Registry {
  readonly #config: ConfigFile;
  readonly #insecure: boolean;

  constructor(config: ConfigFile, insecure: boolean) {
    this.#config = config;
    this.#insecure = insecure;
  }

  /** @param reference  in full, with a tag or a digest */
  fetch(reference: string): Promise<FetchReply> {
    return this.#ask<FetchReply>(reference, { action: "fetch", reference });
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
