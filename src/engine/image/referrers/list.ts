import { parseRegistryAuth } from "#drivers/distribution/credentials.ts";
import type { RegistryClient } from "#drivers/distribution/client.ts";
import type { Digest } from "#lib/digest.ts";
import { parseReference, withDefaultTag } from "#lib/reference.ts";
import type { Descriptor } from "#types/oci/image.ts";
import type { ImageService } from "../service.ts";
import { referrerDescriptor } from "./record.ts";
import { subjectsOf } from "./subject.ts";

export interface ReferrersRequest {
  /** A name, or an id of an image that is here. */
  readonly image: string;
  readonly artifactType?: string;
  /** Header X-Registry-Auth as it came. */
  readonly auth?: string;
  /** Asks no registry. */
  readonly isLocal?: boolean;
}

/** An artifact that refers to an image, and where it is. */
export interface ListedReferrer {
  readonly descriptor: Descriptor;
  readonly subject: string;
  readonly isHere: boolean;
  readonly isInRegistry: boolean;
}

interface Dependencies {
  readonly images: ImageService;
  readonly registries: RegistryClient;
}

/**
 * What refers to an image: here, and in the registry of the name that is asked for. A registry is asked only for an image that is there: one
 * with a name by digest in that repository, or one that is not here.
 * @throws {EngineError} `not_found` with Docker's text when it is nowhere
 */
export async function listReferrers(deps: Dependencies, request: ReferrersRequest, signal: AbortSignal): Promise<ListedReferrer[]> {
  const { image: text, artifactType, isLocal } = request;
  const image = deps.images.lookup(text);
  if (!image && isLocal) deps.images.find(text); // throws
  const kept = (image?.referrers ?? []).filter((one) => artifactType === undefined || one.artifactType === artifactType);
  const listed = new Map(
    kept.map((one) => [one.digest, { descriptor: referrerDescriptor(one), subject: one.subject, isHere: true, isInRegistry: false }]),
  );
  for (const { descriptor, subject } of isLocal ? [] : await remoteReferrers(deps, request, signal)) {
    const isHere = listed.has(descriptor.digest);
    listed.set(descriptor.digest, { descriptor, subject, isHere, isInRegistry: true });
  }
  return [...listed.values()];
}

export interface RemoteReferrer {
  readonly descriptor: Descriptor;
  readonly subject: Digest;
}

/** Those that the registry of the name knows. */
export async function remoteReferrers(deps: Dependencies, request: ReferrersRequest, signal: AbortSignal): Promise<RemoteReferrer[]> {
  const image = deps.images.lookup(request.image);
  const isName = !image || !image.id.replace("sha256:", "").startsWith(request.image.replace("sha256:", ""));
  if (!isName) return [];
  const reference = withDefaultTag(parseReference(request.image));
  if (image && !isInRegistry(deps.images, image.id, reference)) return [];
  const repository = deps.registries.repository(reference, parseRegistryAuth(request.auth));
  const name = reference.digest ?? reference.tag ?? "latest";
  const subjects = image
    ? subjectsOf(deps.images, image, reference)
    : [(await repository.resolve(name, signal)) ?? (await repository.manifest(name, signal)).digest];
  const found: RemoteReferrer[] = [];
  for (const subject of subjects)
    for (const descriptor of await repository.referrers(subject, request.artifactType, signal)) found.push({ descriptor, subject });
  return found;
}

function isInRegistry(images: ImageService, id: string, { domain, path }: { readonly domain: string; readonly path: string }): boolean {
  return images.references(id).some(({ reference }) => {
    const name = parseReference(reference);
    return name.digest !== undefined && name.domain === domain && name.path === path;
  });
}
