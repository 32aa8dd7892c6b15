import type { Digest } from "#lib/digest.ts";
import type { ErrorKind } from "#lib/errors.ts";
import type { BlobCheck, BlobDamage } from "../content/verify.ts";
import type { MountCall } from "#os/mount.ts";
import type { TreeUsage } from "#os/tree-usage.ts";
import type { DiffId, FileChange } from "./types.ts";

/** How a layer lies on disk: an EROFS index over its tar, a folder of its own files, or one of all files down to it. */
export type LayerForm = "erofs" | "unpacked" | "whole";

export interface BuildRequest {
  readonly tar: string;
  /** Folder that exists; gets `index` or `fs`. */
  readonly output: string;
  /** `erofs` becomes `unpacked` when the layer has sparse files. */
  readonly form: LayerForm;
  /** Folders of the layers below, top first; of whole ones the top one says all. */
  readonly lowers: readonly string[];
  /** What the output has already, if these directories are not below, or as a directory that is made is. */
  readonly assumed?: { readonly built: BuiltLayer; readonly newDirectories: readonly string[] };
}

export interface BuiltLayer {
  readonly form: LayerForm;
  /** Digest of the index; null for an unpacked layer. */
  readonly indexDigest: Digest | null;
}

export interface IngestRequest {
  readonly source: string;
  readonly offset: number;
  /** Absent: up to the end of the file. */
  readonly sizeBytes?: number;
  /** A plain archive that is the whole file may become the layer's own. */
  readonly isGiven?: boolean;
  /** Folder that exists; gets `tar`, and `index` or `fs` when the layer could be built at once. */
  readonly output: string;
  readonly form: LayerForm;
  /** Absent while the layers below are not there yet. */
  readonly lowers?: readonly string[];
  readonly expectedDiffId?: DiffId;
  readonly expectedDigest?: Digest;
}

export interface IngestedLayer {
  readonly digest: Digest;
  readonly compressedBytes: number;
  readonly diffId: DiffId;
  readonly sizeBytes: number;
  /** There is no `tar` in the output: the file itself is to be moved there. */
  readonly isInPlace: boolean;
  /** Null when the layers below are needed for it, or were not given for a whole one: it must be built from the tar. */
  readonly built: BuiltLayer | null;
  /** What the layer was built with in place of what the layers below have, which is to be compared. */
  readonly newDirectories?: readonly string[];
}

export interface VerifyRequest {
  readonly tar: string;
  readonly sizeBytes: number;
  readonly diffId: DiffId;
  readonly form: LayerForm;
  /** File of the index, or folder of the files. */
  readonly content: string;
  readonly indexDigest: Digest | null;
  readonly lowers: readonly string[];
  /** Archives of the layers below a whole one, the lowest first. */
  readonly tarsBelow: readonly string[];
}

export interface RootCopy {
  /** Absent for an image without layers. */
  readonly layer?: string;
  readonly upper: string;
  /** It is on the disk when it appears. */
  readonly isSynced: boolean;
}

/** What is wrong with one part of a stored layer. */
export interface LayerDamage {
  readonly part: "archive" | "index" | "files" | "record";
  /** File, or folder of the files. */
  readonly file: string;
  /** A clause whose subject is the layer: `its archive has another digest`. */
  readonly reason: string;
  readonly isMissing: boolean;
}

/** Every command of a helper process: what it is given and what it answers. */
export interface HelperCommands {
  /** Blob → hashes, tar, and the layer when possible. */
  readonly ingest: { readonly request: IngestRequest; readonly result: IngestedLayer };
  /** Stored tar → layer. */
  readonly build: { readonly request: BuildRequest; readonly result: BuiltLayer };
  readonly diff: {
    readonly request: { readonly upper: string; readonly lowers: readonly string[] };
    readonly result: readonly FileChange[];
  };
  readonly "write-diff": {
    readonly request: { readonly upper: string; readonly lowers: readonly string[]; readonly path: string };
    readonly result: { readonly diffId: DiffId; readonly sizeBytes: number };
  };
  /** What a copied tree has that its layers have not, in bytes and files; blocks are those of all of it. */
  readonly usage: { readonly request: { readonly upper: string; readonly lowers: readonly string[] }; readonly result: TreeUsage };
  /** Files of a whole layer, or none → a container's own tree. */
  readonly "copy-root": { readonly request: RootCopy; readonly result: null };
  /** Content of a folder of a mounted root file system → an empty volume. */
  readonly "copy-up": {
    readonly request: { readonly rootfs: string; readonly path: string; readonly target: string };
    readonly result: null;
  };
  /** A folder with all it holds; success when it is not there. */
  readonly "remove-tree": { readonly request: { readonly path: string }; readonly result: null };
  /** A mount that may wait for a server or a disk. */
  readonly "mount-volume": { readonly request: MountCall; readonly result: null };
  /** What a process has mounted at a path → a folder that is made. */
  readonly "attach-of-process": {
    readonly request: {
      readonly process: { readonly pid: number; readonly startTicks: number };
      readonly path: string;
      readonly target: string;
    };
    readonly result: null;
  };
  /** Damages of each layer, in order. */
  readonly verify: { readonly request: readonly VerifyRequest[]; readonly result: readonly (readonly LayerDamage[])[] };
  /** The damage of each blob, in order; null when there is none. */
  readonly "verify-blobs": { readonly request: readonly BlobCheck[]; readonly result: readonly (BlobDamage | null)[] };
}

export type HelperCommand = keyof HelperCommands;

/** The one line a helper prints. */
export type HelperReply<Command extends HelperCommand = HelperCommand> =
  { readonly result: HelperCommands[Command]["result"] } | { readonly error: { readonly kind: ErrorKind; readonly message: string } };
