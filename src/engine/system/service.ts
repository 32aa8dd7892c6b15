import { readFileSync } from "node:fs";
import { readdir } from "node:fs/promises";
import { cpus, hostname, release, totalmem } from "node:os";
import { formatTimeNano, systemClock } from "#lib/clock.ts";
import { machineName } from "#lib/machine-name.ts";
import type { CdiRegistry } from "#drivers/cdi/registry.ts";
import type { EventBus } from "../event/bus.ts";
import type { ContainerService } from "../container/service.ts";
import type { ImageService } from "../image/service.ts";

export interface SystemVersions {
  readonly product: string;
  readonly commit: string;
  readonly buildTime: string;
  readonly kernelVersion: string;
  /** In the words of images: amd64, arm64. */
  readonly architecture: string;
  readonly runtime: { readonly name: string; readonly version: string; readonly commit: string };
  readonly monitor: { readonly version: string; readonly commit: string };
}

export interface RuntimeFacts {
  readonly name: string;
  readonly path: string;
  /** What it says of itself, JSON. Absent: it is older than `features` of the runtime specification. */
  readonly features?: string;
}

/** What the daemon knows of itself and its host, fixed at start. */
export interface SystemSettings {
  readonly id: string;
  readonly dataRoot: string;
  readonly snapshotter: string;
  readonly backingFileSystem: string;
  readonly controllers: ReadonlySet<string>;
  readonly cgroupVersion: "1" | "2";
  readonly debug: boolean;
  readonly experimental: boolean;
  readonly logDriver: string;
  readonly registryMirrors: readonly string[];
  readonly insecureRegistries: readonly string[];
  /** As the daemon uses them, with names and passwords. */
  readonly proxies: { readonly httpProxy: string; readonly httpsProxy: string; readonly noProxy: string };
  readonly labels: readonly string[];
  readonly runtimes: readonly RuntimeFacts[];
  readonly defaultRuntime: string;
  readonly initBinary: string;
  readonly liveRestore: boolean;
  readonly securityOptions: readonly string[];
  readonly warnings: readonly string[];
}

export interface SystemFacts extends SystemSettings {
  readonly cdi: { readonly folders: readonly string[]; readonly devices: readonly string[] };
  readonly containers: { readonly total: number; readonly running: number; readonly paused: number };
  readonly images: number;
  readonly version: string;
  readonly runtimeVersion: string;
  readonly ipForwarding: boolean;
  readonly descriptors: number;
  readonly systemTime: string;
  readonly eventListeners: number;
  readonly kernelVersion: string;
  readonly operatingSystem: string;
  readonly operatingSystemVersion: string;
  readonly machine: string;
  readonly processors: number;
  readonly memoryBytes: number;
  readonly hostname: string;
}

/** What `info` and `version` tell. */
export class SystemService {
  readonly events: EventBus;
  readonly versions: SystemVersions;
  #settings: SystemSettings;
  readonly #containers: ContainerService;
  readonly #images: ImageService;
  readonly #cdi: CdiRegistry;

  constructor(
    settings: SystemSettings,
    versions: SystemVersions,
    services: {
      readonly events: EventBus;
      readonly containers: ContainerService;
      readonly images: ImageService;
      readonly cdi: CdiRegistry;
    },
  ) {
    this.#settings = settings;
    this.versions = versions;
    this.events = services.events;
    this.#containers = services.containers;
    this.#images = services.images;
    this.#cdi = services.cdi;
  }

  /** After the daemon's configuration has been read again. */
  configure(settings: SystemSettings): void {
    this.#settings = settings;
  }

  get isExperimental(): boolean {
    return this.#settings.experimental;
  }

  async info(): Promise<SystemFacts> {
    const states = this.#containers.list().map((record) => record.state.status);
    const distribution = readDistribution();
    const { devices, warnings } = await this.#cdi.list();
    return {
      ...this.#settings,
      warnings: [...this.#settings.warnings, ...warnings],
      cdi: { folders: this.#cdi.folders, devices: [...devices.keys()] },
      containers: {
        total: states.length,
        running: states.filter((status) => status === "running").length,
        paused: states.filter((status) => status === "paused").length,
      },
      images: this.#images.list().length,
      version: this.versions.product,
      runtimeVersion: this.versions.runtime.version,
      ipForwarding: readText("/proc/sys/net/ipv4/ip_forward").trim() === "1",
      descriptors: (await readdir("/proc/self/fd")).length,
      systemTime: formatTimeNano(systemClock.nowNano()),
      eventListeners: this.events.listeners,
      kernelVersion: release(),
      operatingSystem: distribution["PRETTY_NAME"] ?? "Linux",
      operatingSystemVersion: distribution["VERSION_ID"] ?? "",
      machine: machineName(),
      processors: cpus().length,
      memoryBytes: totalmem(),
      hostname: hostname(),
    };
  }
}

/** Source: os-release(5). */
function readDistribution(): Readonly<Record<string, string>> {
  const entries = [...readText("/etc/os-release").matchAll(/^([A-Z_]+)="?([^"\n]*)"?$/gm)];
  return Object.fromEntries(entries.map(([, key = "", value = ""]) => [key, value]));
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // a kernel or distribution without it
  }
}
