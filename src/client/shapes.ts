// The answers that commands read, with the wire's spelling. They are the API's own types, but that what names an object is taken for granted:
// without it an answer is of no use. All else may be missing, as daemons of other versions answer too.
import type * as api from "#types/engine-api/index.ts";

export type Texts = Readonly<Record<string, string>>;

export type PortSummary = api.PortSummary;
export type ContainerSummary = api.ContainerSummary & { readonly Id: string };
/** The few fields of an inspection that commands decide by; `inspect` itself prints the raw text. */
export type ContainerInspection = api.ContainerInspectResponse & { readonly Id: string };
export type WaitAnswer = api.ContainerWaitResponse;
export type TopAnswer = api.ContainerTopResponse;
export type ContainerStats = api.ContainerStatsResponse;
export type UpdateAnswer = api.ContainerUpdateResponse;
export type CreateAnswer = api.ContainerCreateResponse & { readonly Id: string };
export type ExecInspection = api.ExecInspectResponse;
export type ImageSummary = Partial<api.ImageSummary> & { readonly Id: string };
export type HistoryEntry = api.ImageHistoryResponseItem;
export type SearchResult = api.ImageSearchResponseItem;
export type LogInRequest = api.AuthConfig;
export type LogInAnswer = api.AuthResponse;
export type ImageDeletion = api.ImageDeleteResponseItem;
export type NetworkSummary = api.NetworkSummary & { readonly Id: string; readonly Name: string };
export type VolumeSummary = Partial<api.Volume> & { readonly Name: string };
export type BuildCacheRecord = api.BuildCache & {
  readonly ID: string;
  /** So spelled, with a space, by dockerd up to 28. */
  readonly " Parents"?: readonly string[] | null;
  /** Before 1.42. */
  readonly Parent?: string;
};
export type ServerVersion = api.SystemVersion;

export type PruneNoun = "container" | "network" | "volume" | "image";

/** Answer of our own route `/gantry/prune`: what prunes would remove, of the nouns that were asked for. */
export type PrunePlan = Partial<Readonly<Record<"Containers" | "Networks" | "Volumes" | "Images", readonly PruneItem[]>>> & {
  readonly SpaceReclaimed: number;
};

export interface PruneItem {
  readonly Id: string;
  readonly Names: readonly string[];
  /** Bytes that are free then. */
  readonly Size: number;
}

/** What any of the prune calls tells. */
export interface PruneReport {
  readonly ContainersDeleted?: readonly string[] | null;
  readonly ImagesDeleted?: readonly ImageDeletion[] | null;
  readonly NetworksDeleted?: readonly string[] | null;
  readonly VolumesDeleted?: readonly string[] | null;
  readonly CachesDeleted?: readonly string[] | null;
  readonly SpaceReclaimed?: number;
}

export type EventMessage = Omit<api.EventMessage, "timeNano"> & {
  /** Nanoseconds since 1970, all digits of them. */
  readonly timeNano?: bigint;
};

/** `/system/df` as API versions up to 1.51 answer it, with what 1.52 adds and our client needs. */
export interface DiskUsage {
  readonly ImageUsage?: { readonly Reclaimable?: number };
  readonly LayersSize?: number;
  readonly Images?: readonly ImageSummary[] | null;
  readonly Containers?: readonly ContainerSummary[] | null;
  readonly Volumes?: readonly VolumeSummary[] | null;
  readonly BuildCache?: readonly BuildCacheRecord[] | null;
}

/** A message of the streams of pull, push and load. */
export interface ProgressMessage {
  readonly status?: string;
  readonly id?: string;
  readonly stream?: string;
  readonly error?: string;
  readonly errorDetail?: { readonly message?: string; readonly code?: number };
  readonly progressDetail?: { readonly current?: number; readonly total?: number; readonly units?: string; readonly hidecounts?: boolean };
  readonly aux?: unknown;
}

/** Last message of our own route `/gantry/images/verify`, in `aux`. */
export interface ImageVerifyReport {
  readonly Images: readonly ({
    readonly Id: string;
    readonly RepoTags: readonly string[];
    readonly IsInRegistry: boolean;
  } & VerifiedContent)[];
  /** What no image names; null when certain images were asked for. */
  readonly Others: VerifiedContent | null;
}

export interface VerifiedContent {
  readonly Layers: number;
  readonly Blobs: number;
  readonly Size: number;
  readonly Damages: readonly {
    readonly Object: "config" | "manifest" | "index" | "artifact" | "layer" | "blob" | "record";
    readonly Digest: string;
    readonly State: "damaged" | "missing";
    readonly Reason: string;
    readonly File: string;
  }[];
}

/** An entry of our own route `/gantry/images/NAME/referrers`. */
export interface ImageReferrer {
  readonly Digest: string;
  readonly MediaType: string;
  /** May be empty. */
  readonly ArtifactType: string;
  /** Of its manifest. */
  readonly Size: number;
  readonly Annotations: Texts;
  readonly Subject: string;
  readonly Local: boolean;
  readonly Remote: boolean;
}

/** Answer of our own route `/gantry/images/gc`. */
export interface ImageGcPlan {
  readonly Policy: {
    readonly Enabled: boolean;
    /** Shares of the disk, 0 to 1. */
    readonly HighMark: number;
    readonly LowMark: number;
    readonly UnusedForSeconds: number;
    readonly KeepTags: number;
    readonly Local: boolean;
  };
  readonly Disk: { readonly TotalBytes: number; readonly UsedBytes: number };
  readonly Images: readonly {
    readonly Id: string;
    readonly RepoTags: readonly string[];
    /** RFC 3339. */
    readonly LastUsedAt: string;
    readonly Decision: "remove" | "may" | "keep";
    readonly Reason: string;
    readonly FreedBytes: number;
  }[];
}
