import { parseManifest } from "#drivers/distribution/parse-manifest.ts";
import type { RemoteRepository } from "#drivers/distribution/repository.ts";
import type { FetchedManifest } from "#drivers/distribution/types.ts";
import { parseDigest, type Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import type { Descriptor, ImageConfig, Manifest } from "#types/oci/image.ts";
import { candidatesFor, formatPlatform } from "./choose-platform.ts";
import { parseImageConfig } from "./parse-config.ts";
import { matchesPlatform, type WantedPlatform } from "./platform.ts";

/** Indexes inside indexes. */
const maximumDepth = 3;
/** Documents of one pull. */
const maximumDocuments = 16;

/** The image that a tag stands for on one platform. */
export interface SelectedManifest {
  readonly fetched: FetchedManifest;
  readonly mediaType: string;
  readonly manifest: Manifest;
  readonly config: ImageConfig;
  readonly configBytes: Uint8Array;
  readonly configDigest: Digest;
}

/**
 * Walks from a manifest or index to the image for `wanted`. A single manifest is taken whatever it is for.
 * @throws {EngineError} `not_found` with Docker's text when there is none for the platform; `internal` for loops, depth and bad documents
 */
export async function selectManifest(
  repository: RemoteRepository,
  root: FetchedManifest,
  wanted: WantedPlatform,
  signal: AbortSignal,
): Promise<SelectedManifest> {
  const search = new ManifestSearch(repository, wanted, signal);
  const found = await search.look(root, { depth: 0, isPlatformKnown: true });
  if (!found) throw new EngineError("not_found", `no matching manifest for ${formatPlatform(wanted)} in the manifest list entries`);
  return found;
}

interface Position {
  readonly depth: number;
  /** False below an entry that names no platform: the config decides. */
  readonly isPlatformKnown: boolean;
}

class ManifestSearch {
  readonly #repository: RemoteRepository;
  readonly #wanted: WantedPlatform;
  readonly #signal: AbortSignal;
  readonly #seen = new Set<string>();

  constructor(repository: RemoteRepository, wanted: WantedPlatform, signal: AbortSignal) {
    this.#repository = repository;
    this.#wanted = wanted;
    this.#signal = signal;
  }

  async look(fetched: FetchedManifest, position: Position): Promise<SelectedManifest | undefined> {
    const document = parseManifest(fetched.bytes, fetched.contentType);
    if (document.kind === "manifest") return this.#image(fetched, document.mediaType, document.manifest, position);
    if (position.depth >= maximumDepth) throw new EngineError("internal", `image indexes are nested more than ${maximumDepth} deep`);
    this.#seen.add(fetched.digest);
    for (const entry of candidatesFor(this.#wanted, document.index.manifests)) {
      const next = { depth: position.depth + 1, isPlatformKnown: entry.platform !== undefined };
      const found = await this.look(await this.#fetch(entry), next);
      if (found) return found;
    }
    return undefined;
  }

  async #fetch(entry: Descriptor): Promise<FetchedManifest> {
    if (this.#seen.has(entry.digest)) throw new EngineError("internal", `image index loops at ${entry.digest}`);
    if (this.#seen.size >= maximumDocuments) throw new EngineError("internal", "image index has too many entries without a platform");
    this.#seen.add(entry.digest);
    const fetched = await this.#repository.manifest(entry.digest, this.#signal);
    if (fetched.bytes.length !== entry.size)
      throw new EngineError("internal", `manifest ${entry.digest} has ${fetched.bytes.length} bytes, its index says ${entry.size}`);
    // What the index says of it and what it says itself must agree; the server's word is the third.
    return { ...fetched, contentType: entry.mediaType || fetched.contentType };
  }

  async #image(
    fetched: FetchedManifest,
    mediaType: string,
    manifest: Manifest,
    { isPlatformKnown }: Position,
  ): Promise<SelectedManifest | undefined> {
    const configDigest = parseDigest(manifest.config.digest);
    const configBytes = await this.#repository.smallBlob(configDigest, manifest.config.size, this.#signal);
    const config = parseImageConfig(configBytes);
    if (!isPlatformKnown && !matchesPlatform(this.#wanted, config)) return undefined;
    return { fetched, mediaType, manifest, config, configBytes, configDigest };
  }
}
