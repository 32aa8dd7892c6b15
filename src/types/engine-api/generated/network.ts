// Written by scripts/generate-engine-api.ts; do not edit.

import type { EndpointSettings } from "./container.ts";

export interface ConfigReference {
  readonly Network?: string;
}

export interface EndpointResource {
  readonly Name?: string;
  readonly EndpointID?: string;
  readonly MacAddress?: string;
  readonly IPv4Address?: string;
  readonly IPv6Address?: string;
}

export interface IPAM {
  readonly Driver?: string;
  readonly Config?: readonly IPAMConfig[] | null;
  readonly Options?: Readonly<Record<string, string>> | null;
}

export interface IPAMConfig {
  readonly Subnet?: string;
  readonly IPRange?: string;
  readonly Gateway?: string;
  readonly AuxiliaryAddresses?: Readonly<Record<string, string>> | null;
}

export interface IPAMStatus {
  readonly Subnets?: Readonly<Record<string, SubnetStatus>> | null;
}

export interface Network {
  readonly Name?: string;
  readonly Id?: string;
  readonly Created?: string;
  readonly Scope?: string;
  readonly Driver?: string;
  readonly EnableIPv4?: boolean;
  readonly EnableIPv6?: boolean;
  readonly IPAM?: IPAM | null;
  readonly Internal?: boolean;
  readonly Attachable?: boolean;
  readonly Ingress?: boolean;
  readonly ConfigFrom?: ConfigReference | null;
  readonly ConfigOnly?: boolean;
  readonly Options?: Readonly<Record<string, string>> | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly Peers?: readonly PeerInfo[] | null;
  readonly Containers?: Readonly<Record<string, EndpointResource>> | null;
}

export interface NetworkConnectRequest {
  readonly Container: string;
  readonly EndpointConfig?: EndpointSettings | null;
}

export interface NetworkCreateRequest {
  readonly Name: string;
  readonly Driver?: string;
  readonly Scope?: string;
  readonly Internal?: boolean;
  readonly Attachable?: boolean;
  readonly Ingress?: boolean;
  readonly ConfigOnly?: boolean;
  readonly ConfigFrom?: ConfigReference | null;
  readonly IPAM?: IPAM | null;
  readonly EnableIPv4?: boolean | null;
  readonly EnableIPv6?: boolean | null;
  readonly Options?: Readonly<Record<string, string>> | null;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly CheckDuplicate?: boolean | null;
}

export interface NetworkCreateResponse {
  readonly Id: string;
  readonly Warning: string;
}

export interface NetworkDisconnectRequest {
  readonly Container: string;
  readonly Force?: boolean;
}

export interface NetworkInspect extends Network {
  readonly Containers?: Readonly<Record<string, EndpointResource>> | null;
  readonly Services?: Readonly<Record<string, ServiceInfo>> | null;
  readonly Status?: NetworkStatus | null;
}

export interface NetworkPruneResponse {
  readonly NetworksDeleted?: readonly string[] | null;
}

export interface NetworkStatus {
  readonly IPAM?: IPAMStatus | null;
}

export type NetworkSummary = Network;

export interface NetworkTaskInfo {
  readonly Name?: string;
  readonly EndpointID?: string;
  readonly EndpointIP?: string;
  readonly Info?: Readonly<Record<string, string>> | null;
}

export interface PeerInfo {
  readonly Name?: string;
  readonly IP?: string;
}

export interface ServiceInfo {
  readonly VIP?: string;
  readonly Ports?: readonly string[] | null;
  readonly LocalLBIndex?: number;
  readonly Tasks?: readonly NetworkTaskInfo[] | null;
}

export interface SubnetStatus {
  readonly IPsInUse?: number;
  readonly DynamicIPsAvailable?: number;
}
