// What the client reads from answers and writes into requests, with the wire's spelling (Engine API v1.51). Every field of an answer may be
// missing: daemons of other versions answer too.

export type Texts = Readonly<Record<string, string>>;

export interface PortSummary {
  readonly IP?: string;
  readonly PrivatePort: number;
  readonly PublicPort?: number;
  readonly Type?: string;
}

export interface MountPoint {
  readonly Type?: string;
  readonly Name?: string;
  readonly Source?: string;
  readonly Destination?: string;
  readonly Driver?: string;
}

export interface ContainerSummary {
  readonly Id: string;
  readonly Names?: readonly string[] | null;
  readonly Image?: string;
  readonly ImageID?: string;
  readonly Command?: string;
  /** Seconds since 1970. */
  readonly Created?: number;
  readonly Ports?: readonly PortSummary[] | null;
  readonly SizeRw?: number;
  readonly SizeRootFs?: number;
  readonly Labels?: Texts | null;
  readonly State?: string;
  readonly Status?: string;
  readonly NetworkSettings?: { readonly Networks?: Readonly<Record<string, unknown>> | null } | null;
  readonly Mounts?: readonly MountPoint[] | null;
  readonly ImageManifestDescriptor?: { readonly platform?: { readonly os?: string; readonly architecture?: string } } | null;
}

/** The few fields of an inspection that commands decide by; `inspect` itself prints the raw text. */
export interface ContainerInspection {
  readonly Id: string;
  readonly Name?: string;
  readonly State?: { readonly Running?: boolean; readonly Paused?: boolean; readonly Restarting?: boolean; readonly ExitCode?: number };
  readonly Config?: { readonly Tty?: boolean; readonly OpenStdin?: boolean; readonly AttachStdin?: boolean };
  readonly HostConfig?: { readonly AutoRemove?: boolean };
  readonly NetworkSettings?: {
    readonly Ports?: Readonly<Record<string, readonly { readonly HostIp?: string; readonly HostPort?: string }[] | null>> | null;
  };
}

export interface WaitAnswer {
  readonly StatusCode: number;
  readonly Error?: { readonly Message?: string } | null;
}

export interface ImageSummary {
  readonly Id: string;
  readonly RepoTags?: readonly string[] | null;
  readonly RepoDigests?: readonly string[] | null;
  readonly Created?: number;
  readonly Size?: number;
  readonly SharedSize?: number;
  readonly Containers?: number;
}

export interface HistoryEntry {
  readonly Id: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Size: number;
  readonly Comment?: string;
}

export interface ImageDeletion {
  readonly Untagged?: string;
  readonly Deleted?: string;
}

export interface NetworkSummary {
  readonly Id: string;
  readonly Name: string;
  readonly Created?: string;
  readonly Scope?: string;
  readonly Driver?: string;
  readonly EnableIPv4?: boolean;
  readonly EnableIPv6?: boolean;
  readonly Internal?: boolean;
  readonly Labels?: Texts | null;
}

export interface VolumeSummary {
  readonly Name: string;
  readonly Driver?: string;
  readonly Mountpoint?: string;
  readonly Scope?: string;
  readonly Labels?: Texts | null;
  readonly UsageData?: { readonly Size?: number; readonly RefCount?: number } | null;
  readonly CreatedAt?: string;
}

export interface PruneReport {
  readonly ContainersDeleted?: readonly string[] | null;
  readonly ImagesDeleted?: readonly ImageDeletion[] | null;
  readonly NetworksDeleted?: readonly string[] | null;
  readonly VolumesDeleted?: readonly string[] | null;
  readonly CachesDeleted?: readonly string[] | null;
  readonly SpaceReclaimed?: number;
}

export interface EventMessage {
  readonly Type?: string;
  readonly Action?: string;
  readonly Actor?: { readonly ID?: string; readonly Attributes?: Texts | null };
  readonly scope?: string;
  readonly time?: number;
  /** Nanoseconds since 1970, all digits of them. */
  readonly timeNano?: bigint;
}

export interface BuildCacheRecord {
  readonly ID: string;
  readonly Type?: string;
  readonly Description?: string;
  readonly InUse?: boolean;
  readonly Shared?: boolean;
  readonly Size?: number;
  readonly CreatedAt?: string;
  readonly LastUsedAt?: string | null;
  readonly UsageCount?: number;
}

export interface DiskUsage {
  readonly LayersSize?: number;
  readonly Images?: readonly ImageSummary[] | null;
  readonly Containers?: readonly ContainerSummary[] | null;
  readonly Volumes?: readonly VolumeSummary[] | null;
  readonly BuildCache?: readonly BuildCacheRecord[] | null;
}

export interface ServerVersion {
  readonly Platform?: { readonly Name?: string };
  readonly Version?: string;
  readonly ApiVersion?: string;
  readonly MinAPIVersion?: string;
  readonly GitCommit?: string;
  readonly GoVersion?: string;
  readonly Os?: string;
  readonly Arch?: string;
  readonly KernelVersion?: string;
  readonly Experimental?: boolean;
  readonly BuildTime?: string;
  readonly Components?: readonly { readonly Name: string; readonly Version: string; readonly Details?: Texts | null }[] | null;
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

export interface CreateAnswer {
  readonly Id: string;
  readonly Warnings?: readonly string[] | null;
}

export interface TopAnswer {
  readonly Titles?: readonly string[] | null;
  readonly Processes?: readonly (readonly string[])[] | null;
}

export interface ExecInspection {
  readonly Running?: boolean;
  readonly ExitCode?: number | null;
}
