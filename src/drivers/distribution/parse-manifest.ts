import { isDigest } from "#lib/digest.ts";
import { EngineError, messageOf } from "#lib/errors.ts";
import { parseJson } from "#lib/parse-json.ts";
import { mediaTypes, type Descriptor, type ImageIndex, type Manifest } from "#types/oci/image.ts";
import { bareType, isConfigType, isIndexType, isLayerType, isManifestType } from "./media-types.ts";

/** Largest manifest, index or config that is read. Source: OCI distribution-spec, "Pushing Manifests" (4 MiB at least). */
export const manifestLimitBytes = 4 << 20;
/** Entries of one index, layers of one manifest; Docker ends at 125 layers. */
const maximumDescriptors = 1024;
/** Larger layers cannot be mounted (512-byte blocks, 32-bit numbers). */
const maximumLayerBytes = 2 ** 41;

/** A document of the registry, checked. */
export type ManifestDocument =
  | { readonly kind: "manifest"; readonly mediaType: string; readonly manifest: Manifest }
  | { readonly kind: "index"; readonly mediaType: string; readonly index: ImageIndex };

/**
 * Reads an image manifest or an index, of OCI or Docker. Its type is what Content-Type and the field `mediaType` agree on; a document that is
 * both or neither is refused.
 * @param contentType  from the answer or the descriptor; "" where there was none
 * @throws {EngineError} `internal` (the registry's fault, as Docker answers it)
 * Source: OCI image-spec, manifest.md and image-index.md.
 */
export function parseManifest(bytes: Uint8Array, contentType: string): ManifestDocument {
  if (bytes.length > manifestLimitBytes) throw bad(`manifest is larger than ${manifestLimitBytes} bytes`);
  const document = parseManifestObject(bytes);
  const declared = bareType(contentType);
  if (document["schemaVersion"] === 1 || declared.startsWith("application/vnd.docker.distribution.manifest.v1+")) throw schema1Refusal();
  if (document["schemaVersion"] !== 2) throw bad(`unsupported schema version ${JSON.stringify(document["schemaVersion"])}`);
  const mediaType = agreedType(declared, document);
  const [hasLayers, hasManifests] = ["layers" in document || "config" in document, "manifests" in document];
  if (isIndexType(mediaType)) {
    if (hasLayers || !hasManifests) throw bad("index: expected index but found manifest");
    return { kind: "index", mediaType, index: { ...document, manifests: indexEntries(document["manifests"]) } as unknown as ImageIndex };
  }
  if (hasManifests) throw bad("manifest: expected manifest but found index");
  return { kind: "manifest", mediaType, manifest: checkedManifest(document) };
}

/** @throws {EngineError} `internal` when it is no JSON object */
export function parseManifestObject(bytes: Uint8Array): Record<string, unknown> {
  let value: unknown;
  try {
    value = parseJson(bytes);
  } catch (error) {
    throw new EngineError("internal", `error unmarshalling content: ${jsonFault(bytes, error)}`, { cause: error });
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw bad("error unmarshalling content: not an object");
  return value as Record<string, unknown>;
}

/** Go's words for the commonest fault: a page of HTML. */
function jsonFault(bytes: Uint8Array, error: unknown): string {
  const start = Buffer.from(bytes.subarray(0, 64)).toString().trimStart();
  if (start === "") return "unexpected end of JSON input";
  if (start.startsWith("<")) return "invalid character '<' looking for beginning of value";
  return messageOf(error).slice(0, 200);
}

/** Types that say nothing about a manifest: some servers send them for everything. */
const vague = new Set(["", "application/json", "application/octet-stream", "text/plain"]);

function agreedType(declared: string, document: Readonly<Record<string, unknown>>): string {
  const own = typeof document["mediaType"] === "string" ? document["mediaType"] : "";
  if (own !== "" && !vague.has(declared) && own !== declared)
    throw bad(`manifest media type mismatch: the answer says ${JSON.stringify(declared)}, the document ${JSON.stringify(own)}`);
  const type =
    own === "" && vague.has(declared) ? ("manifests" in document ? mediaTypes.ociIndex : mediaTypes.ociManifest) : own || declared;
  if (!isManifestType(type) && !isIndexType(type))
    throw bad(`unsupported manifest media type and no default available: ${type.slice(0, 128)}`);
  return type;
}

function checkedManifest(document: Readonly<Record<string, unknown>>): Manifest {
  const config = parseManifestDescriptor(document["config"], "config", manifestLimitBytes);
  const layers = parseManifestDescriptors(document["layers"], "layer", maximumLayerBytes);
  if (!isConfigType(config.mediaType)) throw bad(`unsupported media type ${config.mediaType.slice(0, 128)}`);
  for (const { mediaType } of layers) if (!isLayerType(mediaType)) throw bad(`unsupported media type ${mediaType.slice(0, 128)}`);
  return { ...document, config, layers } as unknown as Manifest;
}

function indexEntries(value: unknown): Descriptor[] {
  return parseManifestDescriptors(value, "manifest", manifestLimitBytes);
}

/** A list of descriptors. @throws {EngineError} `internal` */
export function parseManifestDescriptors(value: unknown, what: string, limitBytes: number): Descriptor[] {
  if (value === null) return []; // Go's empty list
  if (!Array.isArray(value)) throw bad(`manifest has no list of ${what}s`);
  if (value.length > maximumDescriptors) throw bad(`manifest has more than ${maximumDescriptors} ${what}s`);
  return value.map((entry: unknown) => parseManifestDescriptor(entry, what, limitBytes));
}

/** @param what  names it in errors @throws {EngineError} `internal` */
export function parseManifestDescriptor(value: unknown, what: string, limitBytes: number): Descriptor {
  const fields = (typeof value === "object" && value !== null ? value : {}) as Readonly<Record<string, unknown>>;
  const { digest, size, mediaType = "" } = fields;
  if (typeof digest !== "string" || !isDigest(digest))
    throw bad(`could not validate ${what} digest ${JSON.stringify(digest ?? "").slice(0, 200)}: invalid checksum digest format`);
  if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0 || size > limitBytes)
    throw bad(`could not validate ${what} size ${JSON.stringify(size ?? null).slice(0, 32)} of ${digest}`);
  if (typeof mediaType !== "string") throw bad(`could not validate ${what} media type of ${digest}`);
  return { ...fields, mediaType, digest, size };
}

function schema1Refusal(): EngineError {
  return bad(
    "[DEPRECATION NOTICE] Docker Image Format v1 and Docker Image manifest version 2, schema 1 support has been removed. " +
      "Suggest the author of the image to upgrade it to the OCI Format or Docker Image manifest v2, schema 2. " +
      "More information at https://docs.docker.com/go/deprecated-image-specs/",
  );
}

function bad(message: string): EngineError {
  return new EngineError("internal", message);
}
