import { existsSync } from "node:fs";
import { mkdir, stat } from "node:fs/promises";
import { dirname } from "node:path";
import { diskFailure } from "#lib/disk.ts";
import { KeyedMutex } from "#lib/async.ts";
import type { Digest } from "#lib/digest.ts";
import { EngineError } from "#lib/errors.ts";
import type { Logger } from "#lib/log.ts";
import type { Kernel } from "#os/kernel.ts";
import type { TreeUsage } from "#os/tree-usage.ts";
import type { ProjectQuotas } from "../quota/project-quotas.ts";
import { chainIdOn, chainIds } from "./chain-id.ts";
import { prepareUpper } from "./container-folders.ts";
import { LayerConversions } from "./convert-layer.ts";
import type { HelperPool } from "./helper-process.ts";
import type { LayerDamage, LayerForm } from "./helper-protocol.ts";
import { importLayer, stageLayer } from "./import-layer.ts";
import type { LayerRecord } from "./layer-record.ts";
import type { LayerStore } from "./layer-store.ts";
import { LayerDiskUses } from "./layer-disk-uses.ts";
import { LayerUses } from "./layer-uses.ts";
import { readMounted } from "./mounted-trees.ts";
import { OverlayTrees } from "./overlay-trees.ts";
import type { RootTrees } from "./root-trees.ts";
import type { StagedLayer } from "./staged-layer.ts";
import { SizedFolders, type SizedFolder } from "./sized-folder.ts";
import { TreeBorrows } from "./tree-borrows.ts";
import type { StorageDriverName } from "./storage-driver.ts";
import type { ChainId, DiffId, FileChange, ImportedLayer, LayerDiskUse, LayerSource, MountOptions, Snapshotter } from "./types.ts";
import { folderUsage } from "./usage.ts";
import { verifyLayers } from "./verify-layers.ts";
import { CopiedTrees } from "./vfs/copied-trees.ts";
import { TreeNotes } from "./vfs/tree-notes.ts";
import { isWholeUpper } from "./vfs/whole-upper.ts";

/** What overlayfs takes, and Docker's text for more. */
export const maximumLayers = 500;

export interface SnapshotterParts {
  readonly store: LayerStore;
  readonly kernel: Kernel;
  readonly helpers: HelperPool;
  readonly logger: Logger;
  /** Of the place where containers' folders are. */
  readonly quotas?: ProjectQuotas;
}

/** What is the same for every form of layers: import, root trees, counts, diffs. A form says where the files of a layer are. */
export abstract class LayerSnapshotter implements Snapshotter {
  abstract readonly name: StorageDriverName;
  /** In which layers are taken in. */
  protected abstract readonly form: LayerForm;
  protected readonly store: LayerStore;
  protected readonly kernel: Kernel;
  protected readonly helpers: HelperPool;
  protected readonly logger: Logger;
  readonly #uses = new LayerUses();
  readonly #trees = new Map<string, readonly ChainId[]>();
  readonly #imports = new Map<ChainId, Promise<ImportedLayer>>();
  readonly #targets = new KeyedMutex();
  readonly #borrows = new TreeBorrows();
  readonly #sized: SizedFolders;
  readonly #diskUse: LayerDiskUses;
  readonly #overlays: OverlayTrees;
  readonly #copies: CopiedTrees;
  readonly #notes: TreeNotes;
  #conversions: LayerConversions | undefined;

  constructor(parts: SnapshotterParts) {
    this.store = parts.store;
    this.kernel = parts.kernel;
    this.helpers = parts.helpers;
    this.logger = parts.logger;
    this.#sized = new SizedFolders(parts.kernel, parts.quotas);
    this.#diskUse = new LayerDiskUses(parts.store);
    const { paths } = parts.store;
    this.#overlays = new OverlayTrees(paths);
    this.#copies = new CopiedTrees(parts.helpers, paths);
    this.#notes = new TreeNotes(paths.trees);
    const { trees, targets } = readMounted(paths);
    for (const [target, seen] of trees) this.#takeUp(target, seen);
    for (const { target, top } of this.#notes.takeUp((place) => targets.has(place) && !trees.has(place)))
      this.#takeUp(target, top === null ? [] : [top]);
  }

  /** A tree that a daemon before this one has mounted. */
  #takeUp(target: string, seen: readonly ChainId[]): void {
    const chain = wholeChain(this.store, seen);
    this.#trees.set(target, chain);
    this.#uses.take(chain);
  }

  /** False for a layer that was taken in with another driver, and is to be built anew first. */
  protected abstract canShow(record: LayerRecord): boolean;
  /** Folder with a layer's files when it can be read without waiting, else undefined. */
  protected abstract readyFolder(record: LayerRecord): string | undefined;
  /** Makes a layer's files readable. */
  protected abstract prepareLayer(record: LayerRecord): Promise<void>;
  /** Gives back what {@link prepareLayer} took; success when that is nothing. */
  protected abstract releaseLayer(chainId: ChainId): Promise<void>;
  /** A layer has other files than before: whoever makes it readable from now on gets those, and who has it keeps what he has. */
  protected abstract renewLayer(record: LayerRecord): Promise<void>;

  /** Layers that no container uses are released. Merged trees stay. */
  async close(): Promise<void> {
    for (const chainId of this.store.list()) if (this.#uses.count(chainId) === 0) await this.releaseLayer(chainId);
    await this.#sized.close((folder) => [...this.#trees.keys()].some((target) => dirname(target) === dirname(folder)));
  }

  async importLayer(source: LayerSource, signal: AbortSignal): Promise<ImportedLayer> {
    if (source.parents.length >= maximumLayers) throw new EngineError("invalid", "max depth exceeded");
    const parent = chainIds(source.parents).at(-1);
    const expected = source.expectedDiffId === undefined ? undefined : chainIdOn(parent, source.expectedDiffId);
    const running = this.#importUnlessWhole(source, parent, expected, signal);
    // At once: whoever comes for the layer on this one waits for it.
    if (expected === undefined || this.#imports.has(expected)) return running;
    this.#imports.set(expected, running);
    try {
      return await running;
    } finally {
      this.#imports.delete(expected);
    }
  }

  async stageLayer(source: Pick<LayerSource, "path" | "isGiven">, signal: AbortSignal): Promise<StagedLayer> {
    try {
      return await stageLayer({ source, store: this.store, helpers: this.helpers, form: this.form, signal });
    } catch (error) {
      signal.throwIfAborted();
      throw diskFailure(error, "read layer");
    }
  }

  async hasLayer(chainId: ChainId): Promise<boolean> {
    const record = this.store.get(chainId);
    return record !== undefined && this.store.isWhole(record);
  }

  async layerTar(diffId: DiffId): Promise<{ readonly path: string; readonly sizeBytes: number } | undefined> {
    const record = this.store.withDiffId(diffId);
    if (!record || !(await this.store.isTarWhole(record))) return undefined;
    return { path: this.store.paths.tar(diffId), sizeBytes: record.sizeBytes };
  }

  layerFolder(chainId: ChainId): string {
    return this.store.paths.chain(chainId);
  }

  layerBytes(chainId: ChainId): number {
    return this.store.get(chainId)?.sizeBytes ?? 0;
  }

  async removeLayer(chainId: ChainId): Promise<void> {
    if (this.#uses.count(chainId) > 0) throw new EngineError("conflict", `layer ${chainId} is in use by a container`);
    const removal = this.store.remove(chainId); // from now on nobody can begin to use it
    await this.releaseLayer(chainId);
    await removal;
    await this.dropReplaced([chainId]);
  }

  async layers(): Promise<readonly ChainId[]> {
    return this.store.list();
  }

  async prepareFolders(options: Pick<MountOptions, "upper" | "work" | "target">): Promise<void> {
    if (this.#copiesRoots)
      await mkdir(options.target, { recursive: true, mode: 0o755 }); // of which image is not known yet
    else await prepareUpper({ ...options, volatile: true });
  }

  async mount(options: MountOptions): Promise<void> {
    await this.#targets.run(options.target, async () => {
      if (this.#trees.has(options.target) && !this.#borrows.isBorrowedOnly(options.target))
        throw new EngineError("conflict", `${options.target} is already mounted`);
      const { sized } = options;
      if (sized) await this.#opening(options, () => this.#sized.open(sized, true));
      if (!this.#trees.has(options.target)) await this.#mountTree(options);
      this.#borrows.own(options.target);
    });
  }

  async mountView({ layers, target, idMap }: Pick<MountOptions, "layers" | "target" | "idMap">): Promise<void> {
    await this.#targets.run(target, async () => {
      const trees = this.#copiesRoots ? this.#copies : this.#overlays;
      await this.#attach(trees, chainIds(layers), target, async (folders) => {
        await mkdir(target, { recursive: true, mode: 0o700 });
        await trees.mountView(folders, target, idMap);
      });
    });
  }

  async borrow(options: MountOptions, prepare: () => Promise<void>): Promise<AsyncDisposable> {
    const { target } = options;
    await this.#targets.run(target, async () => {
      await prepare();
      const isMounted = this.#trees.has(target);
      const { sized } = options;
      if (!isMounted && sized) await this.#opening(options, () => this.#sized.openAnyway(sized));
      if (!isMounted) await this.#mountTree(options);
      this.#borrows.add(target);
      if (!isMounted) this.#borrows.disown(target);
    });
    return { [Symbol.asyncDispose]: () => this.#giveBack(target) };
  }

  leave(target: string): Promise<void> {
    return this.#targets.run(target, async () => {
      this.#borrows.disown(target);
      if (this.#borrows.count(target) === 0) await this.#unmountTree(target);
    });
  }

  async unmount(target: string): Promise<void> {
    do {
      await this.#borrows.returned(target);
      await this.leave(target);
    } while (this.#borrows.count(target) > 0); // somebody was faster
  }

  #giveBack(target: string): Promise<void> {
    return this.#targets.run(target, async () => {
      const isLast = this.#borrows.count(target) === 1;
      try {
        if (isLast && this.#borrows.isBorrowedOnly(target)) await this.#unmountTree(target);
      } finally {
        this.#borrows.remove(target);
      }
    });
  }

  async #opening({ target }: MountOptions, open: () => Promise<void>): Promise<void> {
    try {
      await open();
    } catch (error) {
      throw diskFailure(error, `make room for ${target}`);
    }
  }

  /** What holds its upper is there. */
  async #mountTree(options: MountOptions): Promise<void> {
    if (options.layers.length > maximumLayers) throw new EngineError("invalid", "max depth exceeded");
    const { upper, target } = options;
    const isCopied = isWholeUpper(upper) || (this.#copiesRoots && !existsSync(upper));
    const trees = isCopied ? this.#copies : this.#overlays;
    await this.#attach(trees, chainIds(options.layers), target, (folders) => trees.mount(folders, options));
  }

  async #attach(
    trees: RootTrees,
    chain: readonly ChainId[],
    target: string,
    mount: (folders: readonly string[]) => Promise<void>,
  ): Promise<void> {
    const { folders } = await this.#take(chain);
    try {
      if (trees === this.#copies) await this.#notes.add({ target, top: chain.at(-1) ?? null });
      await mount(folders);
    } catch (error) {
      await this.#notes.remove(target);
      this.#uses.giveBack(chain);
      throw diskFailure(error, `mount root file system on ${target}`);
    }
    this.#trees.set(target, chain);
  }

  /** New containers get a copy of their image's files. */
  get #copiesRoots(): boolean {
    return this.form === "whole";
  }

  async #unmountTree(target: string): Promise<void> {
    await this.kernel.run({ type: "umount", target });
    await this.#notes.remove(target);
    const chain = this.#trees.get(target);
    if (!chain) return;
    this.#trees.delete(target);
    this.#uses.giveBack(chain);
    await this.dropReplaced(chain);
  }

  openSized(sized: SizedFolder, make: boolean): Promise<void> {
    return this.#sized.open(sized, make);
  }

  removeSized(sized: Omit<SizedFolder, "sizeBytes">): Promise<void> {
    return this.#sized.remove(sized);
  }

  mounted(): ReadonlyMap<string, readonly ChainId[]> {
    return this.#trees;
  }

  async usage(upper: string, layers: readonly DiffId[]): Promise<TreeUsage> {
    if (!isWholeUpper(upper)) return folderUsage(upper);
    const { signal } = new AbortController();
    return this.#reading(chainIds(layers), (lowers) => this.helpers.run("usage", { upper, lowers }, signal));
  }

  diskUse(): Promise<readonly LayerDiskUse[]> {
    return this.#diskUse.measure();
  }

  async diff(upper: string, layers: readonly DiffId[], signal: AbortSignal): Promise<readonly FileChange[]> {
    return this.#reading(chainIds(layers), (lowers) => this.helpers.run("diff", { upper, lowers }, signal));
  }

  withLayers<T>(layers: readonly DiffId[], body: (folders: readonly string[]) => Promise<T>): Promise<T> {
    return this.#reading(chainIds(layers), body);
  }

  async writeDiff(
    upper: string,
    layers: readonly DiffId[],
    path: string,
    signal: AbortSignal,
  ): Promise<{ readonly diffId: DiffId; readonly sizeBytes: number }> {
    return this.#reading(chainIds(layers), (lowers) => this.helpers.run("write-diff", { upper, lowers, path }, signal));
  }

  async verify(chainId: ChainId, signal: AbortSignal): Promise<void> {
    this.store.need(chainId);
    const [damage] = (await this.findDamage([chainId], signal)).get(chainId) ?? [];
    if (damage) throw new EngineError("internal", `layer ${chainId} is damaged: ${damage.reason}`);
  }

  async findDamage(chainIds: readonly ChainId[], signal: AbortSignal): Promise<ReadonlyMap<ChainId, readonly LayerDamage[]>> {
    const records = chainIds.map((chainId) => this.store.get(chainId)).filter((record) => record !== undefined);
    const found = await verifyLayers(
      records,
      { store: this.store, helpers: this.helpers, withLayers: (chain, body) => this.#reading(chain, body) },
      signal,
    );
    for (const [record, damages] of found) if (damages.length > 0) await this.store.markDamaged(record, damages);
    // What has been removed or replaced meanwhile is nobody's damage.
    const isSame = (record: LayerRecord): boolean => this.store.get(record.chainId) === record;
    return new Map([...found].filter(([record]) => isSame(record)).map(([{ chainId }, damages]) => [chainId, damages]));
  }

  /** Folders of layers that were replaced go when no tree stands on them any more. */
  async dropReplaced(chain: readonly ChainId[] = this.store.withReplaced()): Promise<void> {
    for (const chainId of chain) {
      if (this.#uses.count(chainId) > 0) continue;
      for (const path of this.store.takeReplaced(chainId)) await this.kernel.run({ type: "remove-tree", path });
    }
  }

  async #importUnlessWhole(
    source: LayerSource,
    parent: ChainId | undefined,
    expected: ChainId | undefined,
    signal: AbortSignal,
  ): Promise<ImportedLayer> {
    const existing = expected && this.store.get(expected);
    if (existing && (await this.store.isWhole(existing))) return asImported(existing, source);
    return this.#import(source, parent, signal);
  }

  async #import(source: LayerSource, parent: ChainId | undefined, signal: AbortSignal): Promise<ImportedLayer> {
    try {
      const { record, renewed } = await importLayer({
        source,
        parent,
        store: this.store,
        helpers: this.helpers,
        form: this.form,
        waitForParent: async () => parent !== undefined && this.#imports.get(parent),
        withLowers: (body) => this.#reading(chainIds(source.parents), body),
        signal,
      });
      for (const chainId of renewed) await this.#renew(chainId);
      await this.store.markWhole(record);
      await this.dropReplaced(renewed);
      return await asImported(record, source);
    } catch (error) {
      signal.throwIfAborted();
      throw diskFailure(error, "import layer");
    }
  }

  async #renew(chainId: ChainId): Promise<void> {
    const record = this.store.get(chainId);
    if (record) await this.renewLayer(record);
  }

  /** Runs `body` with the layers' folders, top first; they stay while it runs. */
  async #reading<T>(chain: readonly ChainId[], body: (folders: readonly string[]) => Promise<T>): Promise<T> {
    const { folders } = await this.#take(chain);
    try {
      return await body(folders);
    } finally {
      this.#uses.giveBack(chain);
    }
  }

  /** Counts the layers as used and makes them readable. @returns their folders, top first; of whole ones the top one's alone */
  async #take(chain: readonly ChainId[]): Promise<{ readonly folders: readonly string[] }> {
    for (const chainId of chain) this.store.need(chainId);
    this.#uses.take(chain); // before anything is awaited: nobody may remove them
    try {
      const shown = this.#copiesRoots ? chain.slice(-1) : chain;
      for (const chainId of shown) {
        const record = this.store.need(chainId);
        if (!this.canShow(record)) await this.#convert(record);
      }
      const records = shown.map((chainId) => this.store.need(chainId));
      const missing = records.filter((record) => this.readyFolder(record) === undefined);
      if (missing.length > 0) await Promise.all(missing.map((record) => this.prepareLayer(record)));
      return { folders: records.map((record) => this.#folderOf(record)).reverse() };
    } catch (error) {
      this.#uses.giveBack(chain);
      throw diskFailure(error, "make layers readable");
    }
  }

  async #convert(record: LayerRecord): Promise<void> {
    this.#conversions ??= new LayerConversions({
      store: this.store,
      helpers: this.helpers,
      logger: this.logger,
      form: this.form,
      withLowers: (parent, body) => this.#reading(parent === null ? [] : this.store.ancestry(parent).reverse(), body),
    });
    await this.#conversions.convert(record);
  }

  #folderOf(record: LayerRecord): string {
    const folder = this.readyFolder(record);
    if (folder === undefined) throw new EngineError("internal", `layer ${record.chainId} is not readable`);
    return folder;
  }
}

/** The kernel may not tell all layers of a tree (`mountOverlayByPage`), but the top one says what is below it. Lowest first. */
function wholeChain(store: LayerStore, seen: readonly ChainId[]): readonly ChainId[] {
  const chain: ChainId[] = [];
  for (let next: ChainId | null | undefined = seen.at(-1); next; next = store.get(next)?.parent) chain.push(next);
  return chain.length > seen.length ? chain.toReversed() : seen;
}

/** A layer that is there answers for this source: its blob may be compressed in another way. */
async function asImported(record: LayerRecord, source: LayerSource): Promise<ImportedLayer> {
  const { chainId, diffId, sizeBytes } = record;
  const digest: Digest = source.expectedDigest ?? record.digest;
  const read = source.staged?.layer.compressedBytes ?? source.range?.sizeBytes;
  const compressedBytes = digest === record.digest ? record.compressedBytes : (read ?? (await stat(source.path)).size);
  return { chainId, diffId, sizeBytes, digest, compressedBytes };
}
