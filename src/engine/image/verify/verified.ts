import { parseDigest } from "#lib/digest.ts";
import { messageOf } from "#lib/errors.ts";
import { familiarReference, parseReference } from "#lib/reference.ts";
import type { ImageRecord } from "#types/record/image.ts";
import type { ImageTransferDependencies } from "../dependencies.ts";
import { diffIdsOf } from "../parse-config.ts";
import { storedManifest } from "../push-manifest.ts";
import type { PartDamages } from "./check-parts.ts";
import { blobsOf, keyOf, type ImageParts, type Part } from "./parts.ts";
import type { Damage, Verified, VerifiedImage } from "./report.ts";

type Dependencies = Pick<ImageTransferDependencies, "images" | "content" | "snapshots">;

export interface PlannedImage extends ImageParts {
  readonly image: ImageRecord;
  /** What its names stand for. */
  readonly targets: readonly string[];
}

/** What was found of one image. */
export async function verifiedImage(
  deps: Dependencies,
  { image, targets, parts, damages }: PlannedImage,
  found: PartDamages,
): Promise<VerifiedImage> {
  const ofParts = parts.flatMap((part) => (found.get(keyOf(part)) ?? []).map((damage) => ({ ...damage, ...nameIn(image, targets, part) })));
  const all: Damage[] = [];
  for (const damage of [...damages, ...ofParts]) if (await isStillTrue(deps, image, damage)) all.push(damage);
  const references = deps.images.references(image.id).map(({ reference }) => parseReference(reference));
  return {
    id: image.id,
    tags: references.filter(({ digest }) => digest === undefined).map(familiarReference),
    isInRegistry: references.some(({ digest }) => digest !== undefined),
    ...countsOf(parts),
    damages: all.length > 0 ? all : await documentDamages(deps, image),
  };
}

/** False when the image has come to do without it while it was verified, by a load or push, or what was missing has come. */
async function isStillTrue({ images, content, snapshots }: Dependencies, { id }: ImageRecord, damage: Damage): Promise<boolean> {
  const image = images.peek(id);
  const { digest, state } = damage;
  if (damage.object === "layer") {
    const same = (image?.layers ?? []).filter(({ diffId }) => diffId === digest);
    return !(await Promise.all(same.map(({ chainId }) => snapshots.hasLayer(parseDigest(chainId))))).every(Boolean);
  }
  const targets = images.references(id).map(({ targetDigest }) => targetDigest);
  if (!image || !blobsOf(image, targets).some(([, named]) => named === digest)) return false;
  return state === "damaged" || (await content.info(parseDigest(digest))) === undefined;
}

/** What was found of that which no image names; what is gone by now is missed by nobody. */
export function verifiedStrays(strays: readonly Part[], found: PartDamages): Verified {
  const damages = strays.flatMap((part) =>
    (found.get(keyOf(part)) ?? []).map((damage): Damage => {
      const isLayer = part.type === "layer";
      return { ...damage, object: part.type, digest: isLayer ? part.chainId : part.digest };
    }),
  );
  return { ...countsOf(strays), damages: damages.filter(({ object, state }) => object === "layer" || state === "damaged") };
}

function countsOf(parts: readonly Part[]): Pick<Verified, "layers" | "blobs" | "sizeBytes"> {
  const layers = parts.filter(({ type }) => type === "layer").length;
  return { layers, blobs: parts.length - layers, sizeBytes: parts.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0) };
}

function nameIn(image: ImageRecord, targets: readonly string[], part: Part): Pick<Damage, "object" | "digest"> {
  if (part.type === "layer")
    return { object: "layer", digest: image.layers.find(({ chainId }) => chainId === part.chainId)?.diffId ?? part.chainId };
  const [object = "blob"] = blobsOf(image, targets).find(([, digest]) => digest === part.digest) ?? [];
  return { object, digest: part.digest };
}

/** Documents that are what their digests say must still be those of the record. */
async function documentDamages({ images, content }: Dependencies, image: ImageRecord): Promise<Damage[]> {
  try {
    if (diffIdsOf(images.config(image.id)).join() !== image.layers.map(({ diffId }) => diffId).join())
      return [recordDamage(image, "its record has other layers than its config")];
    const config = (await storedManifest({ content }, image))?.manifest.config;
    return config === undefined || config.digest === image.id ? [] : [recordDamage(image, "its manifest is that of another image")];
  } catch (error) {
    return [recordDamage(image, `its documents cannot be read: ${messageOf(error)}`)];
  }
}

function recordDamage({ id }: ImageRecord, reason: string): Damage {
  return { object: "record", digest: id, state: "damaged", reason, file: "" };
}
