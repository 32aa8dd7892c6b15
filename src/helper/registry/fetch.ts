import type { RemoteRepository } from "#drivers/distribution/repository.ts";
import { parseManifest } from "#drivers/distribution/parse-manifest.ts";
import type { FetchedManifest } from "#drivers/distribution/types.ts";
import { parseDigest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import type { Descriptor, Manifest, Platform } from "#types/oci/image.ts";
import type { FetchedDocument, FetchReply } from "#types/registry-helper.ts";

/** Entries of an index that are fetched for one command. */
const maximumEntries = 64;

/** A manifest with its platform, or all manifests of an index. @throws {EngineError} as a pull does */
export async function fetchDocument(repository: RemoteRepository, name: string, signal: AbortSignal): Promise<FetchReply> {
  const fetched = await repository.manifest(name, signal);
  const document = parseManifest(fetched.bytes, fetched.contentType);
  if (document.kind === "manifest") return { kind: "manifest", document: await described(repository, fetched, document, signal) };
  if (document.index.manifests.length > maximumEntries)
    throw new EngineError("too_large", `the index has more than ${maximumEntries} entries`);
  const documents: FetchedDocument[] = [];
  for (const entry of document.index.manifests) documents.push(await fetchEntry(repository, entry, signal));
  return { kind: "index", documents };
}

async function fetchEntry(repository: RemoteRepository, entry: Descriptor, signal: AbortSignal): Promise<FetchedDocument> {
  const fetched = await repository.manifest(entry.digest, signal);
  const document = parseManifest(fetched.bytes, entry.mediaType || fetched.contentType);
  if (document.kind === "index") throw new EngineError("internal", `${entry.digest} is an index inside another`);
  return entry.platform ? toDocument(fetched, document.mediaType, entry.platform) : described(repository, fetched, document, signal);
}

/** The platform of a manifest without an index stands in its config. */
async function described(
  repository: RemoteRepository,
  fetched: FetchedManifest,
  { mediaType, manifest }: { readonly mediaType: string; readonly manifest: Manifest },
  signal: AbortSignal,
): Promise<FetchedDocument> {
  const bytes = await repository.smallBlob(parseDigest(manifest.config.digest), manifest.config.size, signal);
  return toDocument(fetched, mediaType, platformIn(bytes));
}

function platformIn(config: Uint8Array): Platform {
  let fields: Partial<Record<keyof Platform, unknown>> | null;
  try {
    fields = JSON.parse(Buffer.from(config).toString()) as typeof fields;
  } catch (error) {
    throw new EngineError("internal", "the image's config is no JSON", { cause: error });
  }
  const text = (key: keyof Platform): string => (typeof fields?.[key] === "string" ? fields[key] : "");
  return {
    architecture: text("architecture"),
    os: text("os"),
    ...(text("os.version") !== "" && { "os.version": text("os.version") }),
    ...(text("variant") !== "" && { variant: text("variant") }),
  };
}

function toDocument({ digest, bytes }: FetchedManifest, mediaType: string, platform: Platform): FetchedDocument {
  return { digest, mediaType, bytes: Buffer.from(bytes).toString("base64"), platform };
}
