import { EngineError } from "#lib/errors.ts";
import type { ImageArchive } from "./image-archive.ts";

/** One image of a docker-archive. */
export interface DockerArchiveImage {
  /** Paths in the archive. */
  readonly config: string;
  readonly layers: readonly string[];
  readonly tags: readonly string[];
}

export const dockerManifestName = "manifest.json";

/**
 * Reads manifest.json of `docker save`.
 * @throws {EngineError} `invalid`
 * Source: moby, image/spec/v1.2.md, "Combined Image JSON + Filesystem Changeset Format".
 */
export async function readDockerArchive(archive: ImageArchive): Promise<DockerArchiveImage[]> {
  const items = await archive.json(dockerManifestName);
  if (items === null) throw new EngineError("invalid", "invalid manifest, manifest cannot be null (but can be [])");
  if (!Array.isArray(items)) throw bad("it is no list");
  return items.map((item: unknown) => {
    if (typeof item !== "object" || item === null) throw bad("an entry is no object");
    const { Config, Layers, RepoTags } = item as { Config?: unknown; Layers?: unknown; RepoTags?: unknown };
    if (typeof Config !== "string" || Config === "") throw bad("Config is missing");
    return { config: Config, layers: texts(Layers, "Layers"), tags: texts(RepoTags, "RepoTags") };
  });
}

function texts(value: unknown, name: string): string[] {
  const list = value ?? [];
  if (!Array.isArray(list) || !list.every((entry): entry is string => typeof entry === "string")) throw bad(`${name} is no list of texts`);
  return list;
}

function bad(reason: string): EngineError {
  return new EngineError("invalid", `invalid manifest.json: ${reason}`);
}
