import { mkdir, readdir, readFile, rm, rmdir, writeFile } from "node:fs/promises";
import type { Platform } from "#types/oci/image.ts";
import type { FetchedDocument } from "#types/registry-helper.ts";
import { fileName } from "./names.ts";

/** A manifest in a list that is being made, as Docker's client keeps it. */
export interface StoredManifest {
  readonly Ref: string;
  readonly Descriptor: { readonly mediaType: string; readonly digest: string; readonly size: number; readonly platform: Platform };
  /** Base64. */
  readonly Raw: string;
  readonly SchemaV2Manifest?: object;
  readonly OCIManifest?: object;
}

/** Lists of manifests that are made here before they are pushed: a folder for each in `~/.docker/manifests`, a file for each manifest. */
export class ManifestStore {
  readonly #folder: string;

  /** @param configFolder  folder of config.json */
  constructor(configFolder: string) {
    this.#folder = `${configFolder}/manifests`;
  }

  /** In the order of the files' names; undefined when there is no such list. */
  async list(list: string): Promise<readonly StoredManifest[] | undefined> {
    const names = await readdir(this.#path(list)).catch(ifMissing);
    if (!names) return undefined;
    return Promise.all(names.sort().map((name) => read(`${this.#path(list)}/${name}`)));
  }

  async get(list: string, manifest: string): Promise<StoredManifest | undefined> {
    return read(`${this.#path(list)}/${fileName(manifest)}`).catch(ifMissing);
  }

  async save(list: string, manifest: string, stored: StoredManifest): Promise<void> {
    await mkdir(this.#path(list), { recursive: true, mode: 0o755 });
    await writeFile(`${this.#path(list)}/${fileName(manifest)}`, JSON.stringify(stored));
  }

  async remove(list: string): Promise<void> {
    for (const name of (await readdir(this.#path(list)).catch(ifMissing)) ?? []) await rm(`${this.#path(list)}/${name}`, { force: true });
    await rmdir(this.#path(list)).catch(ifMissing);
  }

  #path(list: string): string {
    return `${this.#folder}/${fileName(list)}`;
  }
}

/** @param reference  where it was fetched from, in full */
export function toStored(reference: string, { digest, mediaType, bytes, platform }: FetchedDocument): StoredManifest {
  const raw = Buffer.from(bytes, "base64");
  const manifest = JSON.parse(raw.toString()) as object;
  return {
    Ref: reference,
    Descriptor: { mediaType, digest, size: raw.length, platform: ordered(platform) },
    Raw: bytes,
    ...(mediaType.startsWith("application/vnd.oci.") ? { OCIManifest: manifest } : { SchemaV2Manifest: manifest }),
  };
}

/** Keys in Docker's order: their text is part of what is pushed. */
export function ordered(platform: Platform): Platform {
  const { architecture, os, "os.version": version, "os.features": features, variant } = platform;
  return {
    architecture,
    os,
    ...(version && { "os.version": version }),
    ...(features && features.length > 0 && { "os.features": features }),
    ...(variant && { variant }),
  };
}

async function read(path: string): Promise<StoredManifest> {
  return JSON.parse(await readFile(path, "utf8")) as StoredManifest; // written by `save`, or by Docker's client
}

function ifMissing(error: unknown): undefined {
  if (error instanceof Error && "code" in error && error.code === "ENOENT") return undefined;
  throw error;
}
