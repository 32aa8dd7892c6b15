import { constants } from "node:fs";
import { chmod, mkdir, open, readdir, readFile, rename, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { KeyedMutex } from "#lib/async.ts";
import { digestHex } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import { randomId } from "#lib/id.ts";
import type { Logger } from "#lib/log.ts";
import { parseLayerRecord, type LayerRecord } from "./layer-record.ts";
import type { ChainId, DiffId } from "./types.ts";

/** Places below the layers' folder. Names are the hex digits of digests. */
export function layerPaths(root: string) {
  return {
    /** A layer on its parents: `layer.json` and `index` or `fs`. */
    chain: (chainId: ChainId) => join(root, "chains", digestHex(chainId)),
    index: (chainId: ChainId) => join(root, "chains", digestHex(chainId), "index"),
    files: (chainId: ChainId) => join(root, "chains", digestHex(chainId), "fs"),
    record: (chainId: ChainId) => join(root, "chains", digestHex(chainId), "layer.json"),
    /** The archive as it was imported, shared by all chains that hold the layer. */
    tar: (diffId: DiffId) => join(root, "tars", digestHex(diffId)),
    /** Where an EROFS layer is mounted. */
    mount: (chainId: ChainId) => join(root, "mounts", digestHex(chainId)),
    chains: join(root, "chains"),
    tars: join(root, "tars"),
    mounts: join(root, "mounts"),
    temporary: join(root, "tmp"),
    /** Where layers are attached with the ids of a user namespace, while a tree of them is mounted. */
    mapped: join(root, "mapped"),
    /** Stands below containers whose image has no layer. */
    empty: join(root, "empty"),
  };
}

export type LayerPaths = ReturnType<typeof layerPaths>;

/**
 * Layers on disk. A layer is there when its folder in `chains/` is, and that appears by one rename after everything in it, and the tar, is
 * synced: a kill at any moment leaves it whole or absent. What a kill leaves beside is swept at the next start.
 */
export class LayerStore {
  readonly paths: LayerPaths;
  readonly #records = new Map<ChainId, LayerRecord>();
  readonly #mutex = new KeyedMutex();

  private constructor(root: string) {
    this.paths = layerPaths(root);
  }

  /** Reads the records, empties the temporary folder, removes archives that no layer uses. The caller holds the lock of the data root. */
  static async open(root: string, logger: Logger): Promise<LayerStore> {
    const store = new LayerStore(root);
    const { chains, empty, mounts, tars, temporary } = store.paths;
    await rm(temporary, { recursive: true, force: true });
    // Files of images are there with the modes they have in containers, set-user-ID ones too: nobody else may reach them.
    await mkdir(root, { recursive: true, mode: 0o700 });
    await chmod(root, 0o700);
    for (const folder of [chains, empty, mounts, tars, temporary]) await mkdir(folder, { recursive: true });
    const isComplete = await store.#readRecords(logger);
    // A record that cannot be read might be the one that needs an archive.
    if (isComplete) await store.#sweepTars(logger);
    await store.#checkTars(logger);
    return store;
  }

  get(chainId: ChainId): LayerRecord | undefined {
    return this.#records.get(chainId);
  }

  /** @throws {EngineError} `not_found` */
  need(chainId: ChainId): LayerRecord {
    const record = this.#records.get(chainId);
    if (!record) throw new EngineError("not_found", `layer does not exist: ${chainId}`);
    return record;
  }

  list(): ChainId[] {
    return [...this.#records.keys()];
  }

  withDiffId(diffId: DiffId): LayerRecord | undefined {
    return this.#records.values().find((record) => record.diffId === diffId);
  }

  /** Chain ids from a layer down to the lowest, itself first. @throws {EngineError} `not_found` */
  ancestry(chainId: ChainId): ChainId[] {
    const chain: ChainId[] = [];
    for (let next: ChainId | null = chainId; next !== null; next = this.need(next).parent) chain.push(next);
    return chain;
  }

  /** A folder of one's own for work in progress. */
  async temporaryFolder(): Promise<string> {
    const folder = join(this.paths.temporary, randomId());
    await mkdir(folder, { mode: 0o700 });
    return folder;
  }

  /** Makes a finished layer visible; one that is there already stays. @param folder has synced `tar` and `index` or `fs`, and is taken over */
  async commit(record: LayerRecord, folder: string): Promise<LayerRecord> {
    return this.#mutex.run("layers", async () => {
      const existing = this.#records.get(record.chainId);
      if (existing) return existing;
      await this.#commitTar(record.diffId, join(folder, "tar"));
      await writeSynced(join(folder, "layer.json"), JSON.stringify(record));
      await syncFolder(folder);
      await this.#clear(this.paths.chain(record.chainId));
      await rename(folder, this.paths.chain(record.chainId));
      await syncFolder(this.paths.chains);
      this.#records.set(record.chainId, record);
      return record;
    });
  }

  /** Takes a layer away, and its archive when no other chain has it. It is gone for everyone as soon as this is called. */
  async remove(chainId: ChainId): Promise<void> {
    const record = this.#records.get(chainId);
    if (!record) return;
    this.#records.delete(chainId);
    await this.#mutex.run("layers", async () => {
      if (this.#records.has(chainId)) return; // imported again while we waited
      await this.#clear(this.paths.chain(chainId));
      if (!this.withDiffId(record.diffId)) await rm(this.paths.tar(record.diffId), { force: true });
    });
  }

  async #commitTar(diffId: DiffId, tar: string): Promise<void> {
    const target = this.paths.tar(diffId);
    // A tar that a layer uses is mounted, perhaps; one that none uses may be damaged.
    if (this.withDiffId(diffId)) await rm(tar);
    else await rename(tar, target);
    await syncFolder(this.paths.tars);
  }

  /** Moves a folder out of sight at once and then removes it; success when it is not there. */
  async #clear(folder: string): Promise<void> {
    const aside = join(this.paths.temporary, randomId());
    try {
      await rename(folder, aside);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === "ENOENT") return;
      throw error;
    }
    await rm(aside, { recursive: true, force: true });
  }

  async #readRecords(logger: Logger): Promise<boolean> {
    let isComplete = true;
    for (const name of await readdir(this.paths.chains)) {
      const path = join(this.paths.chains, name, "layer.json");
      const record = parseLayerRecord(await readFile(path, "utf8").catch(() => ""));
      if (record?.chainId === `sha256:${name}`) this.#records.set(record.chainId, record);
      else {
        isComplete = false;
        logger.error("layer is damaged: its record cannot be read; pull or load its image again", { file: path });
      }
    }
    return isComplete;
  }

  /** What a look at each file tells; changed bytes are found by `verify` alone, which reads everything. */
  async #checkTars(logger: Logger): Promise<void> {
    for (const { diffId, sizeBytes } of this.#records.values()) {
      const file = this.paths.tar(diffId);
      const found = await stat(file).catch(() => undefined);
      if (found && found.size >= sizeBytes) continue;
      logger.error("layer is damaged: its archive is cut or missing; remove its image, and pull or load it again", { file });
    }
  }

  async #sweepTars(logger: Logger): Promise<void> {
    const used = new Set([...this.#records.values()].map((record) => digestHex(record.diffId)));
    for (const name of await readdir(this.paths.tars)) {
      if (used.has(name)) continue;
      logger.info("removing an archive that no layer uses", { file: join(this.paths.tars, name) });
      await rm(join(this.paths.tars, name), { force: true });
    }
  }
}

async function writeSynced(path: string, text: string): Promise<void> {
  await using file = await open(path, "wx", 0o600);
  await file.writeFile(text);
  await file.sync();
}

/** A name is on disk only when its folder is. */
async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, constants.O_RDONLY | constants.O_DIRECTORY);
  await handle.sync();
}
