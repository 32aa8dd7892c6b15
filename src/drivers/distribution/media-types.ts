import { mediaTypes } from "#types/oci/image.ts";

const manifestTypes: ReadonlySet<string> = new Set([mediaTypes.ociManifest, mediaTypes.dockerManifest]);
const indexTypes: ReadonlySet<string> = new Set([mediaTypes.ociIndex, mediaTypes.dockerManifestList]);
const nondistributable = "application/vnd.oci.image.layer.nondistributable.v1.tar";
const layerTypes: ReadonlySet<string> = new Set([
  mediaTypes.ociLayer,
  mediaTypes.ociLayerGzip,
  mediaTypes.ociLayerZstd,
  mediaTypes.dockerLayer,
  mediaTypes.dockerLayerGzip,
  mediaTypes.dockerLayerZstd,
  // Layers that only their owner may hand out: taken from the registry like any other, never from their URLs.
  mediaTypes.dockerForeignLayer,
  nondistributable,
  `${nondistributable}+gzip`,
  `${nondistributable}+zstd`,
]);
/** Registries of long ago gave configs without a type of their own. */
const configTypes: ReadonlySet<string> = new Set([mediaTypes.ociConfig, mediaTypes.dockerConfig, "application/octet-stream"]);

/** Every kind of manifest that is understood. */
export const acceptedManifests = [...manifestTypes, ...indexTypes].join(", ");

export function isManifestType(type: string): boolean {
  return manifestTypes.has(type);
}

export function isIndexType(type: string): boolean {
  return indexTypes.has(type);
}

export function isLayerType(type: string): boolean {
  return layerTypes.has(type);
}

export function isConfigType(type: string): boolean {
  return configTypes.has(type);
}

/** The type alone, without parameters. */
export function bareType(contentType: string | null): string {
  return (contentType ?? "").split(";", 1)[0]?.trim().toLowerCase() ?? "";
}
