import type { CdiRegistry } from "#drivers/cdi/registry.ts";
import type { LogDriver } from "#drivers/log/drivers.ts";
import type { LogHub } from "#drivers/log/types.ts";
import type { MetadataStore } from "#drivers/metadata/store.ts";
import type { NetworkDriver } from "#drivers/network/types.ts";
import type { HostCgroups, RealtimeShare } from "#drivers/runtime/host-cgroups.ts";
import type { ProjectQuotas } from "#drivers/quota/project-quotas.ts";
import type { RuntimeDriver } from "#drivers/runtime/types.ts";
import type { Snapshotter } from "#drivers/snapshot/types.ts";
import type { Clock } from "#lib/clock.ts";
import type { Instance } from "#lib/instance.ts";
import type { Logger } from "#lib/log.ts";
import type { EventBus } from "../event/bus.ts";
import type { ImageService } from "../image/service.ts";
import type { NetworkService } from "../network/service.ts";
import type { VolumeService } from "../volume/service.ts";
import type { ContainerProcess } from "#types/record/container.ts";
import type { IdMap } from "#types/record/id-map.ts";
import type { ContainerRegistry } from "./registry.ts";

/** What the daemon was told that concerns containers. */
export interface ContainerSettings {
  readonly defaultRuntime: string;
  readonly initPath: string | undefined;
  readonly defaultLogDriver: LogDriver;
  readonly defaultLogOptions: Readonly<Record<string, string>>;
  readonly defaultUlimits: readonly { readonly Name: string; readonly Soft: number; readonly Hard: number }[];
  readonly defaultShmBytes: number;
  /** Of what a container writes that says nothing of a limit; 0: none. */
  readonly defaultSizeBytes: number;
  readonly spoolSizeLimitBytes: number;
  /** What this daemon has, and so can give. */
  readonly capabilities: readonly string[];
  readonly cgroups: HostCgroups;
  /** Real-time CPU of all containers together. */
  readonly realtime: RealtimeShare;
  /** Addresses of name servers given to the daemon (`--dns`). */
  readonly dns: readonly string[];
  readonly dnsOptions: readonly string[];
  readonly dnsSearch: readonly string[];
  readonly stopTimeoutSeconds: number;
  /** Of containers' user namespaces (`--userns-remap`). */
  readonly idMap?: IdMap;
}

export interface HostMount {
  readonly target: string;
  /** `rw,nosuid,relatime`. */
  readonly options: string;
  /** `shared:N`, `master:N`, … */
  readonly tags: readonly string[];
}

/** What containers stand on; wired by the daemon. */
export interface ContainerDependencies {
  readonly instance: Instance;
  readonly settings: ContainerSettings;
  readonly store: MetadataStore;
  readonly containers: ContainerRegistry;
  readonly events: EventBus;
  readonly images: ImageService;
  readonly networks: NetworkService;
  readonly networkDriver: NetworkDriver;
  readonly volumes: VolumeService;
  readonly snapshots: Snapshotter;
  /** Of containers' folders. */
  readonly quotas: Pick<ProjectQuotas, "lack" | "allot" | "free">;
  readonly logs: LogHub;
  readonly cdi: CdiRegistry;
  /** By the name of `--runtime`. */
  readonly runtimes: ReadonlyMap<string, RuntimeDriver>;
  readonly clock: Clock;
  readonly log: Logger;
  /** Makes the next move into a cgroup fast; called when a create arrives. */
  warmCgroups(): void;
  /** Gives a cgroup, and all above it, time for real-time processes. @throws when the host has not so much */
  giveRealtime(path: string, share: RealtimeShare): void;
  /** What is mounted on the host, in the order of the kernel's list. */
  hostMounts(): readonly HostMount[];
  /** Attaches a folder or file below `root` at `target`. @throws an error with the errno's name in `code` */
  attachSubpath(root: string, path: string, target: string): Promise<void>;
  /** Attaches what a process has mounted at a path, at `target`, which is made. Starts a process. */
  attachOfProcess(process: ContainerProcess, path: string, target: string): Promise<void>;
  /** Unmounts and removes a mount point, never what is below; success when there is none. */
  detach(target: string): Promise<void>;
  makeFolder(path: string): Promise<void>;
  /** Names of the folders in a folder; none when it is missing. */
  listFolders(path: string): Promise<readonly string[]>;
  /** Removes a folder with all it holds, outside the main thread. */
  removeTree(path: string): Promise<void>;
}
