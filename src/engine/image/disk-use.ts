import { chainIds } from "#drivers/snapshot/chain-id.ts";
import { parseDigest } from "#lib/digest.ts";
import type { ImageRecord } from "#types/record/image.ts";
import type { ImageTransferDependencies } from "./dependencies.ts";
import { blobsOf } from "./verify/parts.ts";

export type DiskUseDependencies = Pick<ImageTransferDependencies, "images" | "content" | "snapshots">;

/** What cannot be freed by removing images. */
export interface NeededContent {
  readonly imageIds: ReadonlySet<string>;
  /** Diff ids of the layers that containers stand on, which may have no image any more. */
  readonly layers: readonly (readonly string[])[];
}

export interface ImageDiskUse {
  /** By image id: everything it has on the disk, and how much of that other images have too. */
  readonly images: ReadonlyMap<string, { readonly sizeBytes: number; readonly sharedBytes: number }>;
  /** Of everything in the stores, once. */
  readonly totalBytes: number;
  /** What is free when all images are removed that are not needed. */
  readonly reclaimableBytes: number;
}

/**
 * Measures what images take on the disk, in blocks: archives, indexes or files of their layers, compressed blobs and documents. Images that
 * are only a step of others count with those.
 */
export async function imageDiskUse(deps: DiskUseDependencies, needed: NeededContent): Promise<ImageDiskUse> {
  const bytes = await measure(deps);
  const bytesOf = (key: string): number => bytes.get(key) ?? 0;
  const sum = (keys: Iterable<string>): number => [...keys].reduce((total, key) => total + bytesOf(key), 0);
  const shown = deps.images.list().filter(({ id }) => !deps.images.isIntermediate(id));
  const parts = new Map(shown.map((image) => [image.id, partsOf(deps, image)]));
  const owners = new Map<string, number>();
  for (const keys of parts.values()) for (const key of keys) owners.set(key, (owners.get(key) ?? 0) + 1);
  const kept = new Set([
    ...[...needed.imageIds].flatMap((id) => [...(parts.get(id) ?? [])]),
    ...needed.layers.flatMap((layers) => layerKeys(layers)),
  ]);
  return {
    images: new Map(
      [...parts].map(([id, keys]) => {
        const shared = [...keys].filter((key) => (owners.get(key) ?? 0) > 1);
        return [id, { sizeBytes: sum(keys), sharedBytes: sum(shared) }];
      }),
    ),
    totalBytes: sum(bytes.keys()),
    reclaimableBytes: sum([...owners.keys()].filter((key) => !kept.has(key))),
  };
}

async function measure({ content, snapshots }: DiskUseDependencies): Promise<ReadonlyMap<string, number>> {
  const bytes = new Map<string, number>();
  for (const [digest, size] of await content.diskUse()) bytes.set(`blob ${digest}`, size);
  for (const { chainId, diffId, ownBytes, tarBytes } of await snapshots.diskUse()) {
    bytes.set(`layer ${chainId}`, ownBytes);
    bytes.set(`tar ${diffId}`, tarBytes);
  }
  return bytes;
}

function partsOf({ images }: DiskUseDependencies, image: ImageRecord): ReadonlySet<string> {
  const targets = images.references(image.id).map(({ targetDigest }) => targetDigest);
  return new Set([
    ...blobsOf(image, targets).map(([, digest]) => `blob ${digest}`),
    ...layerKeys(image.layers.map(({ diffId }) => diffId)),
  ]);
}

/** An archive may lie below several layers: the same on other parents. */
function layerKeys(diffIds: readonly string[]): string[] {
  return [...chainIds(diffIds.map(parseDigest)).map((chainId) => `layer ${chainId}`), ...diffIds.map((diffId) => `tar ${diffId}`)];
}
