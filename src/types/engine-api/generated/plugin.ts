// Written by scripts/generate-engine-api.ts; do not edit.

export interface Plugin {
  readonly Id?: string;
  readonly Name: string;
  readonly Enabled: boolean;
  readonly Settings: {
    readonly Mounts: readonly PluginMount[];
    readonly Env: readonly string[];
    readonly Args: readonly string[];
    readonly Devices: readonly PluginDevice[];
  };
  readonly PluginReference?: string;
  readonly Config: {
    readonly Description: string;
    readonly Documentation: string;
    readonly Interface: { readonly Types: readonly string[]; readonly Socket: string; readonly ProtocolScheme?: string };
    readonly Entrypoint: readonly string[];
    readonly WorkDir: string;
    readonly User?: { readonly UID?: number; readonly GID?: number } | null;
    readonly Network: { readonly Type: string };
    readonly Linux: {
      readonly Capabilities: readonly string[];
      readonly AllowAllDevices: boolean;
      readonly Devices: readonly PluginDevice[];
    };
    readonly PropagatedMount: string;
    readonly IpcHost: boolean;
    readonly PidHost: boolean;
    readonly Mounts: readonly PluginMount[];
    readonly Env: readonly PluginEnv[];
    readonly Args: {
      readonly Name: string;
      readonly Description: string;
      readonly Settable: readonly string[];
      readonly Value: readonly string[];
    };
    readonly rootfs?: { readonly type?: string; readonly diff_ids?: readonly string[] | null } | null;
  };
}

export interface PluginDevice {
  readonly Name: string;
  readonly Description: string;
  readonly Settable: readonly string[];
  readonly Path: string;
}

export interface PluginEnv {
  readonly Name: string;
  readonly Description: string;
  readonly Settable: readonly string[];
  readonly Value: string;
}

export interface PluginMount {
  readonly Name: string;
  readonly Description: string;
  readonly Settable: readonly string[];
  readonly Source: string;
  readonly Destination: string;
  readonly Type: string;
  readonly Options: readonly string[];
}

export interface PluginPrivilege {
  readonly Name?: string;
  readonly Description?: string;
  readonly Value?: readonly string[] | null;
}
