import { digestHex, type Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import { mediaTypes, type Descriptor, type ImageIndex } from "#types/oci/image.ts";
import { bareType } from "./media-types.ts";
import { manifestLimitBytes, parseManifest } from "./parse-manifest.ts";
import { readAtMost } from "./read-body.ts";
import { readRefusal } from "./refusal.ts";
import { withRetries } from "./retry.ts";
import { nextPage } from "./tags.ts";
import type { RegistryTransport } from "./transport.ts";

/** Bound of one list, however many pages it has. */
const maximumReferrers = 10_000;
const maximumPages = 1000;
const accept = { accept: mediaTypes.ociIndex };

export interface ReferrersQuestion {
  /** `team/app` */
  readonly path: string;
  /** Digest of the manifest that is referred to. */
  readonly subject: Digest;
  /** Only these; all when absent. */
  readonly artifactType?: string | undefined;
}

/**
 * What refers to a manifest: by the registry's own list, page by page, or by the tag that stands in for it where there is none.
 * Source: OCI distribution-spec 1.1, "Listing Referrers".
 */
export async function listReferrers(transport: RegistryTransport, question: ReferrersQuestion, signal: AbortSignal): Promise<Descriptor[]> {
  const { path, subject, artifactType } = question;
  const found: Descriptor[] = [];
  const seen = new Set<string>();
  const type = artifactType === undefined ? "" : `?artifactType=${encodeURIComponent(artifactType)}`;
  for (let next: string | undefined = `/v2/${path}/referrers/${subject}${type}`; next !== undefined && !seen.has(next);) {
    seen.add(next);
    const current: string = next;
    const page = await withRetries(() => readPage(transport, current, signal), {}, signal);
    if (!page) return ofType((await readFallback(transport, path, subject, signal))?.manifests ?? [], artifactType);
    found.push(...(page.isFiltered ? page.entries : ofType(page.entries, artifactType)));
    if (found.length > maximumReferrers || seen.size > maximumPages)
      throw new EngineError("too_large", `the manifest has more than ${maximumReferrers} referrers`);
    next = page.next;
  }
  return [...new Map(found.map((entry) => [entry.digest, entry])).values()];
}

function ofType(entries: readonly Descriptor[], artifactType: string | undefined): Descriptor[] {
  return entries.filter((entry) => artifactType === undefined || entry.artifactType === artifactType);
}

interface Page {
  readonly entries: readonly Descriptor[];
  readonly isFiltered: boolean;
  readonly next: string | undefined;
}

/** @returns undefined where the registry has no such list */
async function readPage(transport: RegistryTransport, path: string, signal: AbortSignal): Promise<Page | undefined> {
  const response = await transport.request({ method: "GET", path, headers: accept }, signal);
  if (response.status === 404) {
    await response.body?.cancel();
    return undefined;
  }
  if (!response.ok) throw await readRefusal(response, "manifest", transport.secrets);
  const filters = (response.headers.get("oci-filters-applied") ?? "").split(",").map((filter) => filter.trim());
  const next = nextPage(response.headers.get("link"), path);
  const index = parseIndex(await readAtMost(response, manifestLimitBytes), bareType(response.headers.get("content-type")));
  return { entries: index.manifests, isFiltered: filters.includes("artifactType"), next };
}

/** Tag that stands for the list of a manifest's referrers where the registry keeps none. Source: "Referrers Tag Schema". */
export function fallbackTag(subject: Digest): string {
  return `${subject.slice(0, subject.indexOf(":"))}-${digestHex(subject)}`.slice(0, 128);
}

/** @returns undefined when nothing refers to it yet */
async function readFallback(
  transport: RegistryTransport,
  path: string,
  subject: Digest,
  signal: AbortSignal,
): Promise<ImageIndex | undefined> {
  const request = { method: "GET", path: `/v2/${path}/manifests/${fallbackTag(subject)}`, headers: accept } as const;
  const get = async (): Promise<ImageIndex | undefined> => {
    const response = await transport.request(request, signal);
    if (response.status === 404) {
      await response.body?.cancel();
      return undefined;
    }
    if (!response.ok) throw await readRefusal(response, "manifest", transport.secrets);
    return parseIndex(await readAtMost(response, manifestLimitBytes), bareType(response.headers.get("content-type")));
  };
  return withRetries(get, {}, signal);
}

/** @throws {EngineError} `internal` when it is something else: nothing that might be written over */
function parseIndex(bytes: Uint8Array, contentType: string): ImageIndex {
  const document = parseManifest(bytes, contentType);
  if (document.kind !== "index") throw new EngineError("internal", "the registry's list of referrers is no image index");
  return document.index;
}

export interface FallbackEntry {
  readonly path: string;
  readonly subject: Digest;
  /** The artifact that refers to it. */
  readonly entry: Descriptor;
}

/** Writers may meet: each looks whether its entry is there, and adds it to what there is then. */
const maximumAttempts = 5;

/**
 * Adds an artifact to the tag that lists a manifest's referrers; entries of others stay, and so do the list's own fields.
 * @param put  names a manifest
 */
export async function addToFallback(
  transport: RegistryTransport,
  { path, subject, entry }: FallbackEntry,
  put: (manifest: { readonly name: string; readonly mediaType: string; readonly bytes: Uint8Array }) => Promise<unknown>,
  signal: AbortSignal,
): Promise<void> {
  for (let attempt = 0; attempt < maximumAttempts; attempt++) {
    const known = await readFallback(transport, path, subject, signal);
    if (known?.manifests.some(({ digest }) => digest === entry.digest)) return;
    const index = { ...known, schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [...(known?.manifests ?? []), entry] };
    const bytes = Buffer.from(JSON.stringify(index));
    if (bytes.length > manifestLimitBytes) throw new EngineError("too_large", "the list of the manifest's referrers is full");
    await put({ name: fallbackTag(subject), mediaType: mediaTypes.ociIndex, bytes });
  }
  const written = await readFallback(transport, path, subject, signal);
  if (!written?.manifests.some(({ digest }) => digest === entry.digest))
    throw new EngineError("conflict", `others write the list of referrers ${fallbackTag(subject)} at the same time`);
}
