import { statSync } from "node:fs";
import type { Finding } from "./difference.ts";
import { namesIn } from "./host.ts";
import type { Records } from "./records.ts";

/**
 * Hex digits of the chain ids of layers, lowest first.
 * Source: OCI image-spec, config.md, "Layer ChainID".
 */
export function chainHexes(diffIds: readonly string[]): string[] {
  const chain: string[] = [];
  for (const diffId of diffIds) {
    const below = chain.at(-1);
    chain.push(below === undefined ? hexOf(diffId) : sha256(`sha256:${below} ${diffId}`));
  }
  return chain;
}

export const hexOf = (digest: string): string => digest.slice(digest.indexOf(":") + 1);

/** Hex digits of the chain ids that an image or a container has. */
export function neededChains({ images, containers }: Records): Set<string> {
  return new Set([
    ...[...images.values()].flatMap((image) => chainHexes(image.layers.map(({ diffId }) => diffId))),
    ...[...containers.values()].flatMap((container) => chainHexes(container.layers)),
    ...mountedImages(containers).flatMap(chainHexes),
  ]);
}

/** Layers of each image that a container has mounted as a volume. */
function mountedImages(containers: Records["containers"]): (readonly string[])[] {
  return [...containers.values()].flatMap(({ mounts }) => mounts.flatMap(({ image }) => (image ? [image.layers] : [])));
}

/** Layers on disk: every one that is needed, whole, and no other. */
export function checkLayers(records: Records, transferUnderWay: boolean): Finding[] {
  const { layers } = records.paths;
  const needed = neededChains(records);
  const present = namesIn(`${layers}/chains`);
  const archives = new Set([
    ...[...records.images.values()].flatMap((image) => image.layers.map(({ diffId }) => hexOf(diffId))),
    ...[...records.containers.values()].flatMap((container) => container.layers.map(hexOf)),
    ...mountedImages(records.containers).flatMap((layers) => layers.map(hexOf)),
  ]);
  const missing: Finding[] = [
    ...[...needed].filter((hex) => !isWhole(`${layers}/chains/${hex}`)).map((hex) => absent(`${layers}/chains/${hex}`)),
    ...[...archives].filter((hex) => !isPath(`${layers}/tars/${hex}`)).map((hex) => absent(`${layers}/tars/${hex}`)),
  ];
  if (transferUnderWay) return missing;
  return [
    ...missing,
    ...present.filter((hex) => !needed.has(hex)).map((hex) => surplus(`${layers}/chains/${hex}`)),
    ...namesIn(`${layers}/tars`)
      .filter((hex) => !archives.has(hex))
      .map((hex) => surplus(`${layers}/tars/${hex}`)),
    ...namesIn(`${layers}/mounts`)
      .filter((hex) => !needed.has(hex))
      .map((hex) => surplus(`${layers}/mounts/${hex}`)),
    ...namesIn(`${layers}/empty`).map((name) => ({
      kind: "layer" as const,
      subject: `${layers}/empty/${name}`,
      message: "exists, the folder should be empty",
    })),
  ];
}

const absent = (subject: string): Finding => ({
  kind: "layer",
  subject,
  message: "is missing or not whole, an image or container needs it",
});
const surplus = (subject: string): Finding => ({ kind: "layer", subject, message: "exists, but no image or container needs it" });

const isWhole = (folder: string): boolean => isPath(`${folder}/layer.json`) && (isPath(`${folder}/index`) || isPath(`${folder}/fs`));

function isPath(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

function sha256(text: string): string {
  return new Bun.CryptoHasher("sha256").update(text).digest("hex");
}
