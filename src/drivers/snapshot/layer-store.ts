import { chmod, mkdir, open, readdir, readFile, rename, rm } from "node:fs/promises";
import { join } from "node:path";
import { sizeIfThere, syncFolder } from "#lib/disk.ts";
import { KeyedMutex } from "#lib/async.ts";
import { DiscardedFiles } from "#lib/discarded-files.ts";
import { digestHex, isDigest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import { randomId } from "#lib/id.ts";
import type { Logger } from "#lib/log.ts";
import { exchangePaths } from "#os/exchange.ts";
import { spreadDirectories } from "#os/spread-directories.ts";
import { DamageMarks } from "./damage-marks.ts";
import type { LayerDamage } from "./helper-protocol.ts";
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
    /** Empty files that name what is damaged. */
    damaged: join(root, "damaged"),
    /** Folders of layers that were damaged: their files stay while a tree stands on them. */
    replaced: join(root, "replaced"),
    temporary: join(root, "tmp"),
    /** Notes of which layers stand below trees that are no overlays. */
    trees: join(root, "trees"),
    /** Where layers are attached with the ids of a user namespace, while a tree of them is mounted. */
    mapped: join(root, "mapped"),
    /** Stands below containers whose image has no layer. */
    empty: join(root, "empty"),
  };
}

export type LayerPaths = ReturnType<typeof layerPaths>;

export interface CommittedLayer {
  readonly record: LayerRecord;
  readonly renewed: readonly ChainId[];
}

/**
 * Layers on disk. A layer is there when its folder in `chains/` is, and that appears by one rename after everything in it, and the tar, is
 * synced: a kill at any moment leaves it whole or absent. What a kill leaves beside is swept at the next start.
 */
export class LayerStore {
  readonly paths: LayerPaths;
  readonly #records = new Map<ChainId, LayerRecord>();
  readonly #mutex = new KeyedMutex();
  readonly #marks: DamageMarks;
  /** Folders that were replaced. */
  readonly #replaced = new Map<ChainId, string[]>();

  readonly #discarded: DiscardedFiles;
  readonly #removeTree: (path: string) => Promise<void>;

  private constructor(paths: LayerPaths, marks: DamageMarks, discarded: DiscardedFiles, removeTree: (path: string) => Promise<void>) {
    this.paths = paths;
    this.#marks = marks;
    this.#discarded = discarded;
    this.#removeTree = removeTree;
  }

  /**
   * Reads the records, empties the temporary folder, removes archives that no layer uses. The caller holds the lock of the data root.
   * @param removeTree  removes a folder of any number of files, without keeping the daemon from its work
   */
  static async open(root: string, logger: Logger, removeTree: (path: string) => Promise<void>): Promise<LayerStore> {
    const paths = layerPaths(root);
    const { chains, empty, mounts, replaced, tars, temporary, trees } = paths;
    // Files of images are there with the modes they have in containers, set-user-ID ones too: nobody else may reach them.
    await mkdir(root, { recursive: true, mode: 0o700 });
    await chmod(root, 0o700);
    for (const folder of [chains, empty, mounts, replaced, tars, temporary, trees]) await mkdir(folder, { recursive: true });
    spreadDirectories(temporary);
    const discarded = new DiscardedFiles(temporary, logger);
    for (const path of (await readdir(temporary)).map((name) => join(temporary, name))) discarded.removeTree(path, removeTree(path));
    const store = new LayerStore(paths, await DamageMarks.open(paths.damaged), discarded, removeTree);
    await store.#readReplaced();
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

  /** A folder of one's own for work in progress, for which there is as much room as removed layers have left. */
  async temporaryFolder(): Promise<string> {
    await this.#discarded.settled();
    const folder = join(this.paths.temporary, randomId());
    await mkdir(folder, { mode: 0o700 });
    return folder;
  }

  /**
   * Makes a finished layer visible; one that is there and whole stays. A damaged one is replaced, by new files under the same names: what has
   * the old ones mounted or open keeps them, and they are damaged until `markWhole`.
   * @param folder has synced `tar` and `index` or `fs`, and is taken over
   * @returns the layer, and those that have other files than before: their mounts are of the old ones
   */
  async commit(record: LayerRecord, folder: string): Promise<CommittedLayer> {
    return this.#mutex.run("layers", async () => {
      const { chainId } = record;
      const existing = this.#records.get(chainId);
      if (existing && (await this.isWhole(existing))) return { record: existing, renewed: [] };
      if (existing) await this.#marks.add(chainMark(chainId)); // a kill in the middle leaves it damaged
      const renewed = await this.#commitTar(record.diffId, join(folder, "tar"));
      await writeSynced(join(folder, "layer.json"), JSON.stringify(record));
      await syncFolder(folder);
      await this.#place(chainId, folder);
      await syncFolder(this.paths.chains);
      this.#records.set(chainId, record);
      return { record, renewed: existing && !renewed.includes(chainId) ? [...renewed, chainId] : renewed };
    });
  }

  /**
   * Gives a layer files of another form. Nothing when it was removed or replaced meanwhile.
   * @param folder has synced `index` or `fs`, and is taken over
   */
  async replaceFiles(before: LayerRecord, after: LayerRecord, folder: string): Promise<void> {
    await this.#mutex.run("layers", async () => {
      const { chainId } = before;
      if (this.#records.get(chainId) !== before) return;
      await writeSynced(join(folder, "layer.json"), JSON.stringify(after));
      await syncFolder(folder);
      await this.#place(chainId, folder);
      await syncFolder(this.paths.chains);
      this.#records.set(chainId, after);
    });
  }

  /** False when it was found damaged, or a look at its files tells that it is: what is changed inside of them, `verify` alone finds. */
  async isWhole(record: LayerRecord): Promise<boolean> {
    if (this.#marks.has(chainMark(record.chainId)) || this.#marks.has(tarMark(record.diffId))) return false;
    return (await this.#look(record)) === undefined;
  }

  /** As `isWhole`, for its archive alone. */
  async isTarWhole({ diffId, sizeBytes }: LayerRecord): Promise<boolean> {
    return !this.#marks.has(tarMark(diffId)) && ((await sizeIfThere(this.paths.tar(diffId))) ?? -1) >= sizeBytes;
  }

  /** From now on it is not whole, for the next daemon too, until it is replaced. Nothing when it has been meanwhile. */
  async markDamaged(record: LayerRecord, damages: readonly Pick<LayerDamage, "part">[]): Promise<void> {
    if (this.#records.get(record.chainId) !== record) return;
    if (damages.some(({ part }) => part === "archive")) await this.#marks.add(tarMark(record.diffId));
    if (damages.some(({ part }) => part !== "archive")) await this.#marks.add(chainMark(record.chainId));
  }

  async markWhole({ chainId, diffId }: Pick<LayerRecord, "chainId" | "diffId">): Promise<void> {
    await this.#marks.remove(tarMark(diffId));
    await this.#marks.remove(chainMark(chainId));
  }

  /** What is wrong with the record on disk, from which the next daemon will know the layer. */
  async recordDamage(record: LayerRecord): Promise<LayerDamage | undefined> {
    const file = this.paths.record(record.chainId);
    const text = await readFile(file, "utf8").catch(() => undefined);
    if (text === undefined) return { part: "record", file, reason: "its record is missing", isMissing: true };
    const isSame = JSON.stringify(parseLayerRecord(text)) === JSON.stringify(record);
    return isSame ? undefined : { part: "record", file, reason: "its record is not as it was written", isMissing: false };
  }

  /** Layers of which folders that were replaced are still there. */
  withReplaced(): ChainId[] {
    return [...this.#replaced.keys()];
  }

  /** Those folders; they are the caller's to remove. */
  takeReplaced(chainId: ChainId): readonly string[] {
    const folders = this.#replaced.get(chainId) ?? [];
    this.#replaced.delete(chainId);
    return folders;
  }

  /** Takes a layer away, and its archive when no other chain has it. It is gone for everyone as soon as this is called. */
  async remove(chainId: ChainId): Promise<void> {
    const record = this.#records.get(chainId);
    if (!record) return;
    this.#records.delete(chainId);
    const { folder, tar } = await this.#mutex.run("layers", () => this.#setAside(record));
    if (folder !== undefined && record.form !== "erofs") this.#discarded.removeTree(folder, this.#removeTree(folder));
    else if (folder !== undefined) this.#discarded.remove(folder);
    if (tar !== undefined) this.#discarded.remove(tar);
  }

  /** Takes a layer's folder, and its archive when no other chain has it, out of sight. @returns where they are */
  async #setAside({ chainId, diffId }: LayerRecord): Promise<{ readonly folder?: string | undefined; readonly tar?: string | undefined }> {
    if (this.#records.has(chainId)) return {}; // imported again while we waited
    const folder = await this.#discarded.setAside(this.paths.chain(chainId));
    await this.#marks.remove(chainMark(chainId));
    if (this.withDiffId(diffId)) return { folder };
    const tar = await this.#discarded.setAside(this.paths.tar(diffId));
    await this.#marks.remove(tarMark(diffId));
    return { folder, tar };
  }

  /** @returns the layers that have another archive by it than before */
  async #commitTar(diffId: DiffId, tar: string): Promise<ChainId[]> {
    const users = [...this.#records.values()].filter((record) => record.diffId === diffId);
    const [user] = users;
    const isKept = user !== undefined && (await this.isTarWhole(user)); // it is mounted, perhaps
    if (isKept) await rm(tar);
    else {
      if (user) await this.#marks.add(tarMark(diffId));
      await rename(tar, this.paths.tar(diffId)); // one that no layer uses may be damaged
    }
    await syncFolder(this.paths.tars);
    if (isKept) return [];
    for (const record of users) this.#records.set(record.chainId, { ...record }); // what was found in the old one is not told of this one
    return users.map(({ chainId }) => chainId);
  }

  /** Puts a layer's folder in its place. One that is there may be below a container: it is set aside. */
  async #place(chainId: ChainId, folder: string): Promise<void> {
    const target = this.paths.chain(chainId);
    if ((await sizeIfThere(target)) === undefined) return rename(folder, target);
    const aside = join(this.paths.replaced, `${digestHex(chainId)}-${randomId().slice(0, 12)}`);
    await rename(folder, aside);
    exchangePaths(aside, target);
    this.#addReplaced(chainId, aside);
  }

  #addReplaced(chainId: ChainId, folder: string): void {
    this.#replaced.set(chainId, [...(this.#replaced.get(chainId) ?? []), folder]);
  }

  /** What a layer's files tell without being read. */
  async #look({ chainId, diffId, form, sizeBytes }: LayerRecord): Promise<string | undefined> {
    const { paths } = this;
    if (((await sizeIfThere(paths.tar(diffId))) ?? -1) < sizeBytes) return paths.tar(diffId);
    const content = form === "erofs" ? paths.index(chainId) : paths.files(chainId);
    return (await sizeIfThere(content)) === undefined ? content : undefined;
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
    for (const record of this.#records.values()) {
      const file = await this.#look(record);
      if (file !== undefined) logger.error("layer is damaged: a file of it is cut or missing; pull or load its image again", { file });
    }
  }

  async #readReplaced(): Promise<void> {
    for (const name of await readdir(this.paths.replaced)) {
      const chainId = `sha256:${name.split("-")[0]}`;
      if (isDigest(chainId)) this.#addReplaced(chainId, join(this.paths.replaced, name));
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

const chainMark = (chainId: ChainId): string => `chain-${digestHex(chainId)}`;
const tarMark = (diffId: DiffId): string => `tar-${digestHex(diffId)}`;

async function writeSynced(path: string, text: string): Promise<void> {
  await using file = await open(path, "wx", 0o600);
  await file.writeFile(text);
  await file.sync();
}
