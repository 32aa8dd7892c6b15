import type { Digest } from "#lib/digest.ts";
import type { TreeUsage } from "#os/tree-usage.ts";
import type { IdMap } from "#types/record/id-map.ts";
import type { LayerDamage } from "./helper-protocol.ts";
import type { StagedLayer } from "./staged-layer.ts";
import type { StorageDriverName } from "./storage-driver.ts";
import type { SizedFolder } from "./sized-folder.ts";

/** Digest of the uncompressed tar of one layer. Source: OCI image-spec, config.md, "Layer DiffID". */
export type DiffId = Digest;
/** Identity of a layer on top of its parents. Source: OCI image-spec, config.md, "Layer ChainID". */
export type ChainId = Digest;

/** A layer archive to be taken in. */
export interface LayerSource {
  /** Compressed (gzip, zstd) or plain; told by its first bytes. */
  readonly path: string;
  /** The file is given away: a plain archive becomes the layer's own by a rename, others are left. Not with a range. */
  readonly isGiven?: boolean;
  /** What `stageLayer` has read of the file, which is not read again. */
  readonly staged?: StagedLayer;
  /** Byte range inside `path` (a member of a docker-archive); the whole file when absent. */
  readonly range?: { readonly offset: number; readonly sizeBytes: number };
  /** Diff ids of the layers below, lowest first: directories the archive only implies take their metadata from there. */
  readonly parents: readonly DiffId[];
  /** Checked while reading when given. @see {@link importLayer} */
  readonly expectedDiffId?: DiffId;
  readonly expectedDigest?: Digest;
}

export interface ImportedLayer {
  readonly chainId: ChainId;
  readonly diffId: DiffId;
  /** Bytes of the uncompressed tar. */
  readonly sizeBytes: number;
  /** Digest and bytes of the source as it was read (the compressed blob). */
  readonly digest: Digest;
  readonly compressedBytes: number;
}

/** One path that differs from the image. Kinds as Docker's: 0 modified, 1 added, 2 deleted. */
export interface FileChange {
  readonly path: string;
  readonly kind: 0 | 1 | 2;
}

export interface MountOptions {
  /** Layers, lowest first; their chain id must have been imported. */
  readonly layers: readonly DiffId[];
  /** Folder with `upper` and `work`; made when missing. */
  readonly upper: string;
  readonly work: string;
  /** Where the merged tree is attached; made when missing. */
  readonly target: string;
  /** Where `upper` and `work` lie, if their size is limited: made with the tree. */
  readonly sized?: SizedFolder;
  /** No sync at unmount: for `--rm` containers and build steps only. A volatile upper is lost with a power cut. */
  readonly volatile: boolean;
  /** Whose ids the files have in the tree; on the disk they keep the container's own. */
  readonly idMap?: IdMap;
  /** Its folders were made by `prepareFolders`, and never mounted. */
  readonly prepared?: boolean;
}

export interface LayerDiskUse {
  readonly chainId: ChainId;
  readonly diffId: DiffId;
  readonly ownBytes: number;
  readonly tarBytes: number;
}

/**
 * Layers on disk and root file systems made of them. Each layer is mounted at most once and counted; the counts are rebuilt from
 * /proc/self/mountinfo at start. All waiting work (mount of layers, umount, removal of trees) runs outside the main thread.
 * Every implementation passes `contract.ts`.
 */
export interface Snapshotter {
  readonly name: StorageDriverName;
  /** Makes ahead the folders that a mount needs. */
  prepareFolders(options: Pick<MountOptions, "upper" | "work" | "target">): Promise<void>;
  /**
   * Takes in one layer: hashes, decompresses, indexes or unpacks in a helper process. Idempotent: a layer that is there is a success.
   * @throws {EngineError} `invalid` for a bad archive or digest, `unavailable` when the disk is full; nothing stays behind
   */
  importLayer(source: LayerSource, signal: AbortSignal): Promise<ImportedLayer>;
  /**
   * Reads a layer before it is known what it stands on: most of what `importLayer` does.
   * @throws {EngineError} as `importLayer`
   */
  stageLayer(source: Pick<LayerSource, "path" | "isGiven">, signal: AbortSignal): Promise<StagedLayer>;
  /** False for one that is damaged, as far as that is known: an import replaces it then. */
  hasLayer(chainId: ChainId): Promise<boolean>;
  /** The uncompressed tar of a layer, exactly as it was imported (for save, push, export of layers), unless it is known to be damaged. */
  layerTar(diffId: DiffId): Promise<{ readonly path: string; readonly sizeBytes: number } | undefined>;
  /** Where a layer lies, or would. */
  layerFolder(chainId: ChainId): string;
  /** Bytes of a layer's tar; 0 when it is not there. */
  layerBytes(chainId: ChainId): number;
  /** Removes a layer no container mounts. @throws {EngineError} `conflict` while mounted */
  removeLayer(chainId: ChainId): Promise<void>;
  layers(): Promise<readonly ChainId[]>;
  mount(options: MountOptions): Promise<void>;
  /** Mounts the layers alone, read-only; unmounted by `unmount`. */
  mountView(options: Pick<MountOptions, "layers" | "target" | "idMap">): Promise<void>;
  /**
   * Mounts it unless it is mounted, for somebody beside the container's run: while it is borrowed the tree stays mounted, and a `mount` takes
   * it over as it is. Dispose to give it back.
   * @param prepare  called before, when nobody mounts or unmounts the tree; what it throws is thrown
   */
  borrow(options: MountOptions, prepare: () => Promise<void>): Promise<AsyncDisposable>;
  /** The container's run is over: the tree is unmounted, now or when the last borrower has given it back. */
  leave(target: string): Promise<void>;
  /** Unmounts the merged tree, once nobody borrows it, and gives back its layers; success when it is not mounted. */
  unmount(target: string): Promise<void>;
  /**
   * Makes what it holds readable, if there is something: for those who look into an upper folder that is not mounted.
   * @param make  makes it when it is missing, and sees to it that it is limited
   */
  openSized(sized: SizedFolder, make: boolean): Promise<void>;
  /** For a container that is being removed, whose tree is not mounted: its limit goes, and the disk, if it is one. Success when there is none. */
  removeSized(sized: Omit<SizedFolder, "sizeBytes">): Promise<void>;
  /** Merged trees mounted now: target → its layers. Rebuilt from mountinfo. */
  mounted(): ReadonlyMap<string, readonly ChainId[]>;
  /** What a container has written over its layers; blocks are those that its upper folder takes. */
  usage(upper: string, layers: readonly DiffId[]): Promise<TreeUsage>;
  /** What each layer takes on the disk: of its own, and its archive, which others may have as well. */
  diskUse(): Promise<readonly LayerDiskUse[]>;
  /** What an upper folder changes over its layers. */
  diff(upper: string, layers: readonly DiffId[], signal: AbortSignal): Promise<readonly FileChange[]>;
  /** Runs `body` with folders that show the layers' files, top first; they stay while it runs. */
  withLayers<T>(layers: readonly DiffId[], body: (folders: readonly string[]) => Promise<T>): Promise<T>;
  /** Writes an upper folder as a layer archive (plain tar) to `path` and returns its diff id and size. */
  writeDiff(
    upper: string,
    layers: readonly DiffId[],
    path: string,
    signal: AbortSignal,
  ): Promise<{ readonly diffId: DiffId; readonly sizeBytes: number }>;
  /** As `findDamage` for one layer. @throws {EngineError} `internal` naming the layer */
  verify(chainId: ChainId, signal: AbortSignal): Promise<void>;
  /**
   * Hashes stored layers again, and checks their indexes or files, in helper processes. Those with damages are not there from then on, for
   * `hasLayer` and imports, until they are replaced. Layers that are removed meanwhile are not told of.
   */
  findDamage(chainIds: readonly ChainId[], signal: AbortSignal): Promise<ReadonlyMap<ChainId, readonly LayerDamage[]>>;
}
