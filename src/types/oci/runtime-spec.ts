/** The parts of config.json that this engine writes. Source: OCI runtime-spec 1.0, config.md and config-linux.md. */
export interface RuntimeSpec {
  readonly ociVersion: string;
  readonly process: {
    readonly terminal: boolean;
    readonly consoleSize?: { readonly height: number; readonly width: number };
    readonly user: { readonly uid: number; readonly gid: number; readonly additionalGids?: readonly number[]; readonly umask?: number };
    readonly args: readonly string[];
    readonly env: readonly string[];
    readonly cwd: string;
    readonly capabilities?: {
      readonly bounding: readonly string[];
      readonly effective: readonly string[];
      readonly permitted: readonly string[];
      readonly inheritable: readonly string[];
      readonly ambient: readonly string[];
    };
    readonly rlimits?: readonly { readonly type: string; readonly soft: number; readonly hard: number }[];
    readonly noNewPrivileges?: boolean;
    readonly oomScoreAdj?: number;
  };
  readonly root: { readonly path: string; readonly readonly?: boolean };
  readonly hostname?: string;
  readonly domainname?: string;
  readonly mounts: readonly RuntimeMount[];
  readonly annotations?: Readonly<Record<string, string>>;
  readonly hooks?: Readonly<Partial<Record<RuntimeHookName, readonly RuntimeHook[]>>>;
  readonly linux: {
    readonly namespaces: readonly { readonly type: RuntimeNamespace; readonly path?: string }[];
    readonly uidMappings?: readonly RuntimeIdRange[];
    readonly gidMappings?: readonly RuntimeIdRange[];
    readonly cgroupsPath: string;
    readonly resources: RuntimeResources;
    readonly devices?: readonly RuntimeDevice[];
    readonly seccomp?: RuntimeSeccomp;
    readonly sysctl?: Readonly<Record<string, string>>;
    readonly maskedPaths?: readonly string[];
    readonly readonlyPaths?: readonly string[];
    readonly rootfsPropagation?: string;
  };
}

export interface RuntimeIdRange {
  readonly containerID: number;
  readonly hostID: number;
  readonly size: number;
}

export type RuntimeHookName = "prestart" | "createRuntime" | "createContainer" | "startContainer" | "poststart" | "poststop";

export interface RuntimeHook {
  readonly path: string;
  readonly args?: readonly string[];
  readonly env?: readonly string[];
  /** Seconds. */
  readonly timeout?: number;
}

export type RuntimeNamespace = "pid" | "network" | "mount" | "ipc" | "uts" | "user" | "cgroup";

export interface RuntimeMount {
  readonly destination: string;
  readonly type: string;
  readonly source: string;
  readonly options: readonly string[];
}

export interface RuntimeDevice {
  readonly path: string;
  readonly type: "c" | "b" | "p" | "u";
  readonly major: number;
  readonly minor: number;
  readonly fileMode: number;
  readonly uid: number;
  readonly gid: number;
}

export interface RuntimeDeviceRule {
  readonly allow: boolean;
  readonly type?: "a" | "c" | "b";
  readonly major?: number;
  readonly minor?: number;
  readonly access?: string;
}

export interface RuntimeResources {
  readonly devices: readonly RuntimeDeviceRule[];
  readonly memory?: {
    readonly limit?: number;
    readonly reservation?: number;
    readonly swap?: number;
    readonly swappiness?: number;
    readonly disableOOMKiller?: boolean;
    readonly kernelTCP?: number;
  };
  readonly cpu?: {
    readonly shares?: number;
    readonly quota?: number;
    readonly period?: number;
    readonly realtimeRuntime?: number;
    readonly realtimePeriod?: number;
    readonly cpus?: string;
    readonly mems?: string;
  };
  readonly pids?: { readonly limit: number };
  readonly blockIO?: RuntimeBlockIo;
}

export interface RuntimeBlockIo {
  readonly weight?: number;
  readonly weightDevice?: readonly { readonly major: number; readonly minor: number; readonly weight: number }[];
  readonly throttleReadBpsDevice?: readonly RuntimeThrottle[];
  readonly throttleWriteBpsDevice?: readonly RuntimeThrottle[];
  readonly throttleReadIOPSDevice?: readonly RuntimeThrottle[];
  readonly throttleWriteIOPSDevice?: readonly RuntimeThrottle[];
}

export interface RuntimeThrottle {
  readonly major: number;
  readonly minor: number;
  readonly rate: number;
}

export interface RuntimeSeccomp {
  readonly defaultAction: string;
  readonly defaultErrnoRet?: number;
  readonly architectures?: readonly string[];
  readonly syscalls: readonly RuntimeSyscallRule[];
}

export interface RuntimeSyscallRule {
  readonly names: readonly string[];
  readonly action: string;
  readonly errnoRet?: number;
  readonly args?: readonly { readonly index: number; readonly value: number; readonly valueTwo?: number; readonly op: string }[];
}
