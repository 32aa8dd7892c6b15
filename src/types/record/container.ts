import type { ContainerConfig, HostConfig } from "#types/engine-api/index.ts";
import type { IdMap } from "./id-map.ts";
import type { SandboxState } from "./network.ts";
import type { ProjectQuota } from "./project-quota.ts";

/**
 * A container as the engine keeps it: what was asked for (fixed at create, but for rename and update), what was decided at create, and
 * what is observed. Docker's shapes are kept where inspect shows them unchanged.
 */
export interface ContainerRecord {
  readonly id: string;
  readonly name: string;
  /** RFC 3339 with nanoseconds. */
  readonly createdAt: string;
  /** Id (config digest) of the image, and the name it was asked by. */
  readonly imageId: string;
  readonly imageManifestDigest?: string;
  readonly platform: { readonly os: string; readonly architecture: string; readonly variant?: string };
  /** Merged with the image's config. */
  readonly config: ContainerConfig;
  readonly hostConfig: HostConfig;
  /** Network name or id → what was asked for; the endpoint's state is in `sandbox`. */
  readonly networks: Readonly<Record<string, ContainerNetwork>>;
  readonly mounts: readonly ContainerMount[];
  /** Containers that this one reaches on the default bridge, by alias (`--link`). */
  readonly links?: readonly ContainerLink[];
  readonly layers: readonly string[];
  readonly state: ContainerState;
  /** Times the restart policy has started it again. */
  readonly restartCount: number;
  /** Somebody stopped it: `unless-stopped` and `always` differ by this after a restart of the daemon. */
  readonly stoppedByUser: boolean;
  /** Its last end was not its own, and nobody asked for it: a shutdown of the daemon, an end of the host, a restart for being unhealthy. */
  readonly interrupted?: boolean;
  /** What its health checks have found; absent without checks, and before the first start. While it runs, `HealthMonitor` knows more. */
  readonly health?: ContainerHealth;
  /** Folder of a checkpoint that is being written: it counts when it has its name, and goes when the daemon dies before. */
  readonly unfinishedCheckpoint?: string;
  /** Paused by a commit under way, which ends the pause: when the daemon dies before, the next one does. */
  readonly isPausedForCommit?: true;
  /** The network namespace while it runs. */
  readonly sandbox?: SandboxState;
  /** Of its last run, when it had a user namespace. */
  readonly idMap?: IdMap | null;
  /** Of what it writes, where the file system keeps it; else `hostConfig` alone tells of a limit. */
  readonly projectQuota?: ProjectQuota;
  /** Upper mounted volatile: lost after a power cut. */
  readonly volatile: boolean;
  readonly logDriver: string;
}

export interface ContainerHealth {
  readonly status: "starting" | "healthy" | "unhealthy";
  /** Failures in a row. */
  readonly failingStreak: number;
  /** The last five, oldest first. */
  readonly log: readonly HealthResult[];
  /** Times in a row that it was started again for being unhealthy, without having been healthy in between. */
  readonly restarts: number;
}

export interface HealthResult {
  /** RFC 3339 with nanoseconds. */
  readonly startedAt: string;
  readonly endedAt: string;
  /** -1 when the check could not be run, or took too long. */
  readonly exitCode: number;
  readonly output: string;
}

export interface ContainerNetwork {
  readonly networkId: string;
  readonly aliases: readonly string[];
  readonly links: readonly string[];
  readonly ipv4?: string;
  readonly ipv6?: string;
  readonly linkLocal: readonly string[];
  readonly mac?: string;
  readonly driverOptions: Readonly<Record<string, string>>;
  readonly gatewayPriority: number;
  /** By `network connect`, which settles its names at once; those of a create are settled at the start. */
  readonly connectedLater?: true;
}

export interface ContainerLink {
  readonly containerId: string;
  /** Of the linked container, when it was last known. */
  readonly name: string;
  readonly alias: string;
}

export interface ContainerMount {
  readonly type: "bind" | "volume" | "tmpfs" | "image";
  /** Name of the volume; absent for others. */
  readonly name?: string;
  readonly source: string;
  readonly destination: string;
  readonly driver?: string;
  readonly mode: string;
  readonly writable: boolean;
  readonly propagation: string;
  /** Made for this container alone, goes with `rm -v` and `--rm`. */
  readonly anonymous: boolean;
  readonly noCopy: boolean;
  /** Of the volume or image, relative. */
  readonly subpath?: string;
  /** Of an image mount: the image as it was named, and as it was at create. */
  readonly image?: { readonly name: string; readonly id: string; readonly layers: readonly string[] };
  readonly nonRecursive?: boolean;
  readonly readOnlyRecursive?: "try" | "force" | "off";
  readonly tmpfsOptions?: readonly string[];
}

/** Processes of a running container, to be found again after a restart of the daemon. */
export interface ContainerProcess {
  readonly pid: number;
  readonly pidStartTicks: number;
  readonly monitorPid: number;
  readonly monitorStartTicks: number;
}

/** What Docker shows of the last run, kept from run to run. Times are RFC 3339 with nanoseconds, the zero time for never. */
export interface ContainerHistory {
  readonly exitCode: number;
  readonly oomKilled: boolean;
  readonly error: string;
  readonly startedAt: string;
  readonly finishedAt: string;
}

/** `starting` and `removing` are on disk before anything is made or taken away: what a kill leaves behind is found from them. */
export type ContainerState = ContainerHistory &
  (
    | { readonly status: "created" | "starting" | "restarting" | "exited" | "removing" | "dead" }
    | { readonly status: "running" | "paused"; readonly process: ContainerProcess }
  );
