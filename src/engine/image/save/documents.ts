import { digestHex, type Digest } from "#lib/digest.ts";
import { familiarName, familiarReference, formatReference, type Reference } from "#lib/reference.ts";
import { sortKeys } from "#lib/sort-keys.ts";
import { mediaTypes, type Descriptor } from "#types/oci/image.ts";

/** An image as it will lie in an archive. */
export interface ArchivedImage {
  readonly config: Digest;
  readonly manifest: Descriptor;
  /** Lowest first. */
  readonly layers: readonly { readonly diffId: Digest; readonly blob: Descriptor & { readonly digest: Digest } }[];
  readonly tags: readonly Reference[];
  /** Artifacts that refer to the manifest. */
  readonly referrers: readonly Descriptor[];
}

/** Place of a blob. Source: OCI image-spec, image-layout.md. */
export function blobPath(digest: Digest): string {
  return `blobs/${digest.slice(0, digest.indexOf(":"))}/${digestHex(digest)}`;
}

/** The documents that say what is in an archive, by their names: for Docker of every age, and for those who read OCI layouts. */
export function archiveDocuments(images: readonly ArchivedImage[]): ReadonlyMap<string, string> {
  const repositories = repositoriesOf(images);
  return new Map([
    ["index.json", JSON.stringify(indexOf(images))],
    ["manifest.json", `${JSON.stringify(images.map(dockerEntry))}\n`],
    ["oci-layout", JSON.stringify({ imageLayoutVersion: "1.0.0" })],
    ...(Object.keys(repositories).length > 0 ? [["repositories", `${JSON.stringify(repositories)}\n`] as const] : []),
  ]);
}

function indexOf(images: readonly ArchivedImage[]): unknown {
  const manifests = images.flatMap(({ manifest, tags, referrers }) => [...imageEntries(manifest, tags), ...referrers]);
  return { schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests };
}

function imageEntries(manifest: Descriptor, tags: readonly Reference[]): Descriptor[] {
  if (tags.length === 0) return [manifest];
  return tags.map((tag) => ({
    ...manifest,
    annotations: { "io.containerd.image.name": formatReference(tag), "org.opencontainers.image.ref.name": tag.tag ?? "" },
  }));
}

/** Source: moby, image/spec/v1.2.md, and what `docker save` writes since 25. */
function dockerEntry({ config, layers, tags }: ArchivedImage): unknown {
  return {
    Config: blobPath(config),
    RepoTags: tags.length > 0 ? tags.map(familiarReference) : null,
    Layers: layers.map(({ blob }) => blobPath(blob.digest)),
    LayerSources: Object.fromEntries(layers.map(({ diffId, blob: { mediaType, size, digest } }) => [diffId, { mediaType, size, digest }])),
  };
}

/** Repository → tag → top layer. Read by Docker before 1.10. */
function repositoriesOf(images: readonly ArchivedImage[]): Record<string, Record<string, string>> {
  const repositories = new Map<string, Map<string, string>>();
  for (const { layers, tags } of images) {
    const top = layers.at(-1);
    if (!top) continue;
    for (const tag of tags) {
      const repository = repositories.get(familiarName(tag)) ?? new Map<string, string>();
      repositories.set(familiarName(tag), repository.set(tag.tag ?? "", digestHex(top.blob.digest)));
    }
  }
  return sortKeys(Object.fromEntries([...repositories].map(([name, tags]) => [name, sortKeys(Object.fromEntries(tags))])));
}
