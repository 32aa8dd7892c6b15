// Written by scripts/generate-engine-api.ts; do not edit.

import type { PluginPrivilege } from "./plugin.ts";

export interface BuildInfo {
  readonly id?: string;
  readonly stream?: string;
  readonly errorDetail?: ErrorDetail | null;
  readonly status?: string;
  readonly progressDetail?: ProgressDetail | null;
  readonly aux?: ImageID | null;
  readonly error?: string | null;
  readonly progress?: string | null;
}

export interface CreateImageInfo {
  readonly id?: string;
  readonly errorDetail?: ErrorDetail | null;
  readonly status?: string;
  readonly progressDetail?: ProgressDetail | null;
  readonly error?: string | null;
  readonly progress?: string | null;
}

export interface ErrorDetail {
  readonly code?: number;
  readonly message?: string;
}

export interface ImageID {
  readonly ID?: string;
}

export interface PluginInterfaceType {
  readonly Prefix: string;
  readonly Capability: string;
  readonly Version: string;
}

export type PluginPrivileges = readonly PluginPrivilege[];

export interface ProgressDetail {
  readonly current?: number;
  readonly total?: number;
}

export interface PushImageInfo {
  readonly errorDetail?: ErrorDetail | null;
  readonly status?: string;
  readonly progressDetail?: ProgressDetail | null;
  readonly error?: string | null;
  readonly progress?: string | null;
}
