// Written by scripts/generate-engine-api.ts; do not edit.

import type { DriverData, HealthConfig, OCIDescriptor, OCIPlatform } from "./container.ts";
import type { EmptyObject } from "./empty.ts";

export interface AttestationStatement {
  readonly Descriptor: OCIDescriptor;
  readonly PredicateType: string;
  readonly Statement?: Readonly<Record<string, unknown>> | null;
}

export interface BuildIdentity {
  readonly Ref?: string;
  readonly CreatedAt?: string;
}

export interface BuildPruneResponse {
  readonly CachesDeleted?: readonly string[] | null;
  readonly SpaceReclaimed?: number;
}

export interface Identity {
  readonly Signature?: readonly SignatureIdentity[] | null;
  readonly Pull?: readonly PullIdentity[] | null;
  readonly Build?: readonly BuildIdentity[] | null;
}

export interface ImageConfig {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, EmptyObject>> | null;
  readonly Env?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Healthcheck?: HealthConfig | null;
  readonly ArgsEscaped?: boolean | null;
  readonly Volumes?: Readonly<Record<string, EmptyObject>> | null;
  readonly WorkingDir?: string;
  readonly Entrypoint?: readonly string[] | null;
  readonly OnBuild?: readonly string[] | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly StopSignal?: string | null;
  readonly Shell?: readonly string[] | null;
}

export interface ImageDeleteResponseItem {
  readonly Untagged?: string;
  readonly Deleted?: string;
}

export interface ImageHistoryResponseItem {
  readonly Id: string;
  readonly Created: number;
  readonly CreatedBy: string;
  readonly Tags: readonly string[];
  readonly Size: number;
  readonly Comment: string;
}

export interface ImageInspect {
  readonly Id?: string;
  readonly Descriptor?: OCIDescriptor | null;
  readonly Manifests?: readonly ImageManifestSummary[] | null;
  readonly Identity?: Identity | null;
  readonly RepoTags?: readonly string[] | null;
  readonly RepoDigests?: readonly string[] | null;
  readonly Comment?: string | null;
  readonly Created?: string | null;
  readonly Author?: string | null;
  readonly Config?: ImageConfig | null;
  readonly Architecture?: string;
  readonly Variant?: string | null;
  readonly Os?: string;
  readonly OsVersion?: string | null;
  readonly Size?: number;
  readonly GraphDriver?: DriverData | null;
  readonly RootFS?: { readonly Type: string; readonly Layers?: readonly string[] | null } | null;
  readonly Metadata?: { readonly LastTagTime?: string | null } | null;
  readonly Parent?: string;
  readonly DockerVersion?: string;
}

export interface ImageManifestSummary {
  readonly ID: string;
  readonly Descriptor: OCIDescriptor;
  readonly Available: boolean;
  readonly Size: { readonly Total: number; readonly Content: number };
  readonly Kind: string;
  readonly ImageData?: {
    readonly Platform: OCIPlatform;
    readonly Identity?: Identity | null;
    readonly Containers: readonly string[];
    readonly Size: { readonly Unpacked: number };
  } | null;
  readonly AttestationData?: { readonly For: string } | null;
}

export interface ImagePruneResponse {
  readonly ImagesDeleted?: readonly ImageDeleteResponseItem[] | null;
  readonly SpaceReclaimed?: number;
}

export interface ImageSearchResponseItem {
  readonly description?: string;
  readonly is_official?: boolean;
  readonly is_automated?: boolean;
  readonly name?: string;
  readonly star_count?: number;
}

export interface ImageSummary {
  readonly Id: string;
  readonly ParentId: string;
  readonly RepoTags: readonly string[];
  readonly RepoDigests: readonly string[];
  readonly Created: number;
  readonly Size: number;
  readonly SharedSize: number;
  readonly Labels: Readonly<Record<string, string>>;
  readonly Containers: number;
  readonly Manifests?: readonly ImageManifestSummary[] | null;
  readonly Descriptor?: OCIDescriptor | null;
}

export type KnownSignerIdentity = string;

export interface PullIdentity {
  readonly Repository?: string;
}

export interface SignatureIdentity {
  readonly Name?: string;
  readonly Timestamps?: readonly SignatureTimestamp[] | null;
  readonly KnownSigner?: KnownSignerIdentity;
  readonly DockerReference?: string;
  readonly Signer?: SignerIdentity | null;
  readonly SignatureType?: SignatureType;
  readonly Error?: string;
  readonly Warnings?: readonly string[] | null;
}

export interface SignatureTimestamp {
  readonly Type?: SignatureTimestampType;
  readonly URI?: string;
  readonly Timestamp?: string;
}

export type SignatureTimestampType = string;

export type SignatureType = string;

export interface SignerIdentity {
  readonly CertificateIssuer?: string;
  readonly SubjectAlternativeName?: string;
  readonly Issuer?: string;
  readonly BuildSignerURI?: string;
  readonly BuildSignerDigest?: string;
  readonly RunnerEnvironment?: string;
  readonly SourceRepositoryURI?: string;
  readonly SourceRepositoryDigest?: string;
  readonly SourceRepositoryRef?: string;
  readonly SourceRepositoryIdentifier?: string;
  readonly SourceRepositoryOwnerURI?: string;
  readonly SourceRepositoryOwnerIdentifier?: string;
  readonly BuildConfigURI?: string;
  readonly BuildConfigDigest?: string;
  readonly BuildTrigger?: string;
  readonly RunInvocationURI?: string;
  readonly SourceRepositoryVisibilityAtSigning?: string;
}
