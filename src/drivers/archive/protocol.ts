import type { ErrorKind } from "#lib/errors.ts";
import type { IdMap } from "#types/record/id-map.ts";

/** A mount of a container, to be put on its root file system. */
export interface TreeMount {
  /** Path on the host; for a tmpfs, which only the running container has, undefined. */
  readonly source: string | undefined;
  readonly destination: string;
  readonly writable: boolean;
  /** With what is mounted below the source. */
  readonly recursive: boolean;
  /** Read-only with all that is mounted below it. */
  readonly readOnlyRecursive: boolean;
  /** One of the daemon's own files (`/etc/hosts`): left out when it is missing. */
  readonly optional?: boolean;
}

/** What a container sees, to be built as a private tree of mounts. */
export interface TreeRequest {
  /** The merged root file system, mounted. */
  readonly rootfs: string;
  readonly readOnly: boolean;
  /** Those above come first. */
  readonly mounts: readonly TreeMount[];
  /** First process of a container that runs: its tmpfs are copied from its namespace. */
  readonly process?: { readonly pid: number; readonly startTicks: number };
  /** Of its user namespace: archives have the container's ids, files those of the host. */
  readonly idMap?: IdMap;
}

interface PathRequest {
  readonly tree: TreeRequest;
  /** As the client wrote it. */
  readonly path: string;
  /** What the client called the container, for messages. */
  readonly container: string;
}

export interface StatRequest extends PathRequest {
  readonly operation: "stat";
}

export interface PackRequest extends PathRequest {
  readonly operation: "pack";
}

export interface ExportRequest {
  readonly operation: "export";
  readonly tree: TreeRequest;
}

export interface ExtractRequest extends PathRequest {
  readonly operation: "extract";
  /** A directory and something else do not replace one another. */
  readonly keepKinds: boolean;
  /** Owner of everything that is made, instead of what the archive says. */
  readonly owner?: { readonly uid: number; readonly gid: number };
}

/** Asks for the changes that an upper folder makes, as JSON. */
export interface ChangesRequest {
  readonly operation: "changes";
  readonly upper: string;
  /** Folders of the layers, top first. */
  readonly lowers: readonly string[];
}

export type ArchiveRequest = StatRequest | PackRequest | ExportRequest | ExtractRequest | ChangesRequest;

/** What clients read from `X-Docker-Container-Path-Stat`. Source: Engine API, ContainerArchiveInfo. */
export interface PathStat {
  readonly name: string;
  readonly size: number;
  /** As Go's os.FileMode. */
  readonly mode: number;
  readonly mtime: string;
  /** Where a link leads in the end, absolute in the container. */
  readonly linkTarget: string;
}

export interface ArchiveFailure {
  readonly kind: ErrorKind;
  readonly message: string;
  /** Nothing of the request is left unread: the helper takes the next one. Else it ends. */
  readonly goesOn: boolean;
}

/** What a frame from the helper holds. Each begins with its type (one byte) and its length (four bytes, little-endian). */
export const frameType = { result: 1, data: 2, end: 3, failure: 4 } as const;
export const frameHeadBytes = 5;

/** Largest frame either side sends. */
export const maximumFrameBytes = 1 << 20;
