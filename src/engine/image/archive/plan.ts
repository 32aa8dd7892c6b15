import { chainIds } from "#drivers/snapshot/chain-id.ts";
import { parseDigest, sha256, type Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import type { ImageConfig } from "#types/oci/image.ts";
import { diffIdsOf, parseImageConfig } from "../parse-config.ts";
import { hostPlatform, matchesPlatform, type WantedPlatform } from "../platform.ts";
import { dockerManifestName, readDockerArchive, type DockerArchiveImage } from "./docker-archive.ts";
import type { ImageArchive } from "./image-archive.ts";
import { layoutIndexName, readLayout, type LayoutImage } from "./oci-layout.ts";

/** One layer as it lies in the archive. */
export interface PlannedLayer {
  readonly diffId: Digest;
  readonly chainId: Digest;
  readonly parents: readonly Digest[];
  /** Path of its file in the archive. */
  readonly path: string;
}

/** One image of an archive, ready to be taken in. */
export interface PlannedImage {
  readonly id: Digest;
  readonly config: ImageConfig;
  readonly configBytes: Uint8Array;
  readonly layers: readonly PlannedLayer[];
  /** Manifest the archive has for it; one is made when it has none. */
  readonly layout: LayoutImage | undefined;
  /** As written; not checked yet. */
  readonly tags: readonly string[];
  /** The tags are annotations, which may be anything, and not names by their definition. */
  readonly areAnnotations: boolean;
}

/**
 * What an archive holds: a docker-archive, an OCI layout, or both in one, as `docker save` writes since 25. Where manifest.json and index.json
 * speak of the same config, names come from the first and the manifest from the second.
 * @param wanted  takes only images for it; without it the host's platform is preferred where one name has several
 * @throws {EngineError} `invalid` for damaged documents, `not_found` when no image is for `wanted`
 */
export async function planImages(archive: ImageArchive, wanted: WantedPlatform | undefined): Promise<PlannedImage[]> {
  const isDocker = archive.has(dockerManifestName);
  if (!isDocker && !archive.has(layoutIndexName))
    throw new EngineError("invalid", "invalid archive: neither manifest.json nor index.json is in it");
  const layout = archive.has(layoutIndexName) ? await readLayout(archive) : [];
  const images = isDocker
    ? await planDockerArchive(archive, layout)
    : await planLayout(archive, chooseForHost(layout, wanted ?? hostPlatform));
  const matching = images.filter(({ config }) => !wanted || matchesPlatform(wanted, config));
  if (matching.length === 0 && images.length > 0)
    throw new EngineError("not_found", "no image in the archive is for the requested platform");
  return matching;
}

async function planDockerArchive(archive: ImageArchive, layout: readonly LayoutImage[]): Promise<PlannedImage[]> {
  const planned: PlannedImage[] = [];
  for (const item of await readDockerArchive(archive)) {
    const configBytes = await archive.document(item.config);
    const id = sha256(configBytes);
    const twin = layout.find(({ manifest }) => manifest.config.digest === id && manifest.layers.length === item.layers.length);
    planned.push(
      twin
        ? { ...plannedFromLayout(archive, configBytes, twin), tags: item.tags, areAnnotations: false }
        : plannedWithoutManifest(configBytes, item),
    );
  }
  return planned;
}

async function planLayout(archive: ImageArchive, layout: readonly LayoutImage[]): Promise<PlannedImage[]> {
  const planned: PlannedImage[] = [];
  for (const image of layout) {
    const configBytes = await archive.blob(parseDigest(image.manifest.config.digest));
    planned.push(plannedFromLayout(archive, configBytes, image));
  }
  return planned;
}

function plannedFromLayout(archive: ImageArchive, configBytes: Uint8Array, layout: LayoutImage): PlannedImage {
  const paths = layout.manifest.layers.map(({ digest }) => archive.blobPath(parseDigest(digest)));
  return { ...plannedImage(configBytes, paths), layout, tags: layout.names, areAnnotations: true };
}

function plannedWithoutManifest(configBytes: Uint8Array, { layers, tags }: DockerArchiveImage): PlannedImage {
  return { ...plannedImage(configBytes, layers), layout: undefined, tags, areAnnotations: false };
}

function plannedImage(configBytes: Uint8Array, paths: readonly string[]): Pick<PlannedImage, "id" | "config" | "configBytes" | "layers"> {
  const config = parseImageConfig(configBytes);
  if (config.os !== hostPlatform.os) throw new EngineError("invalid", `cannot load ${config.os} image on ${hostPlatform.os}`);
  const diffIds = diffIdsOf(config);
  if (paths.length !== diffIds.length)
    throw new EngineError("invalid", `invalid manifest, layers length mismatch: expected ${paths.length}, got ${diffIds.length}`);
  const chain = chainIds(diffIds);
  const layers = paths.flatMap((path, index) => {
    const [diffId, chainId] = [diffIds[index], chain[index]];
    return diffId && chainId ? [{ diffId, chainId, parents: diffIds.slice(0, index), path }] : []; // the lengths are equal
  });
  return { id: sha256(configBytes), config, configBytes, layers };
}

/** A name stands for one image here: of several platforms the wanted one, else the first. */
function chooseForHost(layout: readonly LayoutImage[], wanted: WantedPlatform): LayoutImage[] {
  const isWanted = ({ platform }: LayoutImage): boolean => platform !== undefined && matchesPlatform(wanted, platform);
  return layout.filter((image) => {
    if (image.names.length === 0) return true;
    const rivals = layout.filter((other) => other.names.some((name) => image.names.includes(name)));
    return image === (rivals.find(isWanted) ?? rivals[0]);
  });
}
