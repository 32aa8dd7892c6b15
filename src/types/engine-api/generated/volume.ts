// Written by scripts/generate-engine-api.ts; do not edit.

import type { EmptyObject } from "./empty.ts";

export interface CapacityRange {
  readonly RequiredBytes?: number;
  readonly LimitBytes?: number;
}

export interface ClusterVolume {
  readonly ID?: string;
  readonly Version?: ObjectVersion | null;
  readonly CreatedAt?: string;
  readonly UpdatedAt?: string;
  readonly Spec?: ClusterVolumeSpec | null;
  readonly Info?: {
    readonly CapacityBytes?: number;
    readonly VolumeContext?: Readonly<Record<string, string>> | null;
    readonly VolumeID?: string;
    readonly AccessibleTopology?: readonly Topology[] | null;
  } | null;
  readonly PublishStatus?:
    | readonly { readonly NodeID?: string; readonly State?: string; readonly PublishContext?: Readonly<Record<string, string>> | null }[]
    | null;
}

export interface ClusterVolumeAccessMode {
  readonly Scope?: string;
  readonly Sharing?: string;
  readonly MountVolume?: ClusterVolumeMount | null;
}

export type ClusterVolumeMount = Readonly<Record<string, unknown>>;

export interface ClusterVolumeSecret {
  readonly Key?: string;
  readonly Secret?: string;
}

export interface ClusterVolumeSpec {
  readonly Group?: string;
  readonly AccessMode?: ClusterVolumeAccessMode | null;
  readonly Secrets?: readonly ClusterVolumeSecret[] | null;
  readonly AccessibilityRequirements?: TopologyRequirement | null;
  readonly CapacityRange?: CapacityRange | null;
  readonly Availability?: string;
}

export interface ObjectVersion {
  readonly Index?: number;
}

export interface Topology {
  readonly Segments?: Readonly<Record<string, string>> | null;
}

export interface TopologyRequirement {
  readonly Requisite?: readonly Topology[] | null;
  readonly Preferred?: readonly Topology[] | null;
}

export interface Volume {
  readonly Name: string;
  readonly Driver: string;
  readonly Mountpoint: string;
  readonly CreatedAt?: string;
  readonly Status?: Readonly<Record<string, EmptyObject>> | null;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Scope: string;
  readonly ClusterVolume?: ClusterVolume | null;
  readonly Options: Readonly<Record<string, string>>;
  readonly UsageData?: { readonly Size: number; readonly RefCount: number } | null;
}

export interface VolumeCreateRequest {
  readonly Name?: string;
  readonly Driver?: string;
  readonly DriverOpts?: Readonly<Record<string, string>> | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly ClusterVolumeSpec?: ClusterVolumeSpec | null;
}

export interface VolumeListResponse {
  readonly Volumes?: readonly Volume[] | null;
  readonly Warnings?: readonly string[] | null;
}

export interface VolumePruneResponse {
  readonly VolumesDeleted?: readonly string[] | null;
  readonly SpaceReclaimed?: number;
}

export interface VolumeUpdateRequest {
  readonly Spec?: ClusterVolumeSpec | null;
}
