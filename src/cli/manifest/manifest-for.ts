import { isKind } from "#lib/errors.ts";
import { ExitError } from "../errors.ts";
import type { FetchReply } from "#types/registry-helper.ts";
import type { Registry } from "./ask-registry.ts";
import { toStored, type ManifestStore, type StoredManifest } from "./store.ts";

export interface Places {
  readonly list: string;
  readonly store: ManifestStore;
  readonly registry: Registry;
}

/** A manifest of a list as it is kept here, else as its registry has it. @throws {ExitError} when it is a list itself, or nothing */
export async function manifestFor(name: string, { list, store, registry }: Places): Promise<StoredManifest> {
  const kept = await store.get(list, name);
  if (kept) return kept;
  const fetched = await fetchKnown(registry, name);
  if (fetched.kind === "index") throw new ExitError(1, `${name} is a manifest list`);
  return toStored(name, fetched.document);
}

/** @throws {ExitError} `no such manifest`, for one that is not there */
export async function fetchKnown(registry: Registry, name: string): Promise<FetchReply> {
  try {
    return await registry.fetch(name);
  } catch (error) {
    if (isKind(error, "not_found")) throw new ExitError(1, `no such manifest: ${name}`);
    throw error;
  }
}
