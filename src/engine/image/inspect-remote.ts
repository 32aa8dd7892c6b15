import { parseRegistryAuth } from "#drivers/distribution/credentials.ts";
import { parseManifest } from "#drivers/distribution/parse-manifest.ts";
import { LogInRefusal, RegistryRefusal } from "#drivers/distribution/failure.ts";
import type { RegistryClient } from "#drivers/distribution/client.ts";
import { parseDigest, type Digest } from "#lib/digest.ts";
import { EngineError, type ErrorKind } from "#lib/errors.ts";
import type { Reference } from "#lib/reference.ts";
import type { Platform } from "#types/oci/image.ts";
import { parseImageConfig } from "./parse-config.ts";

/** What a name stands for in its registry. */
export interface RemoteImage {
  readonly digest: Digest;
  readonly mediaType: string;
  readonly sizeBytes: number;
  readonly platforms: readonly Platform[];
}

export interface RemoteInspection {
  readonly reference: Reference;
  /** Header X-Registry-Auth as it came. */
  readonly auth: string | undefined;
}

/** Asks a registry what a name stands for, and for which platforms it is; no layer is fetched. @throws {EngineError} with Docker's texts */
export async function inspectRemote(registries: RegistryClient, request: RemoteInspection, signal: AbortSignal): Promise<RemoteImage> {
  try {
    return await inspect(registries, request, signal);
  } catch (error) {
    const cause = error instanceof EngineError ? error.cause : undefined;
    if (!(cause instanceof RegistryRefusal) || cause instanceof LogInRefusal) throw error;
    // In the registry's own words, which a pull puts into a sentence.
    throw new EngineError(kinds[cause.code] ?? "internal", cause.message, { cause });
  }
}

const kinds: Readonly<Record<string, ErrorKind>> = {
  DENIED: "forbidden",
  UNAUTHORIZED: "unauthorized",
  MANIFEST_UNKNOWN: "not_found",
  NAME_UNKNOWN: "not_found",
  BLOB_UNKNOWN: "not_found",
  TOOMANYREQUESTS: "too_many",
};

async function inspect(registries: RegistryClient, { reference, auth }: RemoteInspection, signal: AbortSignal): Promise<RemoteImage> {
  const repository = registries.repository(reference, parseRegistryAuth(auth));
  const name = reference.digest ?? reference.tag ?? "latest";
  const { digest, bytes, contentType } = await repository.manifest((await repository.resolve(name, signal)) ?? name, signal);
  const document = parseManifest(bytes, contentType);
  const found = { digest, mediaType: document.mediaType, sizeBytes: bytes.length };
  if (document.kind === "index") return { ...found, platforms: document.index.manifests.flatMap(({ platform }) => platform ?? []) };
  const { config } = document.manifest;
  const {
    architecture,
    os,
    variant,
    "os.version": osVersion,
  } = parseImageConfig(await repository.smallBlob(parseDigest(config.digest), config.size, signal));
  const platform = {
    architecture,
    os,
    ...(osVersion !== undefined && { "os.version": osVersion }),
    ...(variant !== undefined && { variant }),
  };
  return { ...found, platforms: [platform] };
}
