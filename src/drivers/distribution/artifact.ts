import { isDigest, type Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import { mediaTypes, type Descriptor } from "#types/oci/image.ts";
import { parseManifestDescriptor, parseManifestDescriptors, parseManifestObject } from "./parse-manifest.ts";

/** Manifest of something that is no image: content of any type, and the manifest it refers to. */
export interface Artifact {
  readonly artifactType: string;
  readonly subject: Descriptor & { readonly digest: Digest };
  readonly annotations?: Readonly<Record<string, string>>;
  /** Config and content, each once. */
  readonly blobs: readonly Descriptor[];
}

/** Largest content that is fetched with an image. */
const maximumBlobBytes = 2 ** 32;
const maximumAnnotations = 256;

/**
 * Reads the manifest of an artifact. Without a type of its own its config's is.
 * @throws {EngineError} `internal` when it is none
 * Source: OCI image-spec, manifest.md, "Guidelines for Artifact Usage".
 */
export function parseArtifact(bytes: Uint8Array): Artifact {
  const document = parseManifestObject(bytes);
  if (document["mediaType"] !== mediaTypes.ociManifest && document["mediaType"] !== undefined)
    throw new EngineError("internal", `artifact manifest is of the type ${JSON.stringify(document["mediaType"]).slice(0, 128)}`);
  const config = parseManifestDescriptor(document["config"], "config", maximumBlobBytes);
  const layers = parseManifestDescriptors(document["layers"], "layer", maximumBlobBytes);
  const subject = parseManifestDescriptor(document["subject"], "subject", maximumBlobBytes);
  const { digest } = subject;
  if (!isDigest(digest)) throw new EngineError("internal", "artifact refers to nothing"); // has been checked
  const own = document["artifactType"];
  const annotations = texts(document["annotations"]);
  return {
    artifactType: typeof own === "string" && own !== "" ? own : config.mediaType,
    subject: { ...subject, digest },
    ...(annotations && { annotations }),
    blobs: [...new Map([config, ...layers].map((blob) => [blob.digest, blob])).values()],
  };
}

function texts(value: unknown): Record<string, string> | undefined {
  if (typeof value !== "object" || value === null) return undefined;
  const entries = Object.entries(value).filter((entry): entry is [string, string] => typeof entry[1] === "string");
  return entries.length > 0 ? Object.fromEntries(entries.slice(0, maximumAnnotations)) : undefined;
}
