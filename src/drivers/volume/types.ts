import type { ProjectQuota } from "#types/record/project-quota.ts";

/** Options of a driver by name, as they were given. */
export type VolumeOptions = Readonly<Record<string, string>>;

/** A volume as its driver made it. */
export interface DriverVolume {
  readonly name: string;
  readonly options: VolumeOptions;
  /** Of its option `size`. */
  readonly projectQuota?: ProjectQuota;
}

/** Named data outside of containers. `local` keeps a folder per volume under `<data root>/volumes/NAME/_data`. */
export interface VolumeDriver {
  readonly name: string;
  /** Makes the folder (or checks the mount options). Idempotent. @throws {EngineError} `invalid` for bad options */
  create(name: string, options: VolumeOptions): Promise<DriverVolume>;
  /** Removes the data. The engine has checked that nobody uses it. What is mounted there is somebody else's, and stays whole. */
  remove(volume: DriverVolume): Promise<void>;
  /** Path of the data on the host; does not mean that it is mounted. */
  path(name: string): string;
  /** Whether its options say what is to be mounted. */
  isMount(options: VolumeOptions): boolean;
  /**
   * Makes the data available; counted. Volumes with mount options are mounted with the first.
   * @throws {EngineError} `invalid` as Docker, `unavailable` when its size cannot be limited any more
   */
  mount(volume: DriverVolume): Promise<string>;
  /** Takes back one `mount`; volumes with mount options are unmounted with the last. */
  unmount(name: string): Promise<void>;
  /** Counts a `mount` of the daemon before, whose user still runs. */
  adopt(name: string, options: VolumeOptions): void;
  /** Its size is limited as it was before the daemon was started. @throws {EngineError} `unavailable` when it cannot be any more */
  keepLimit(volume: DriverVolume): Promise<void>;
  /** After the last `adopt`: unmounts what nobody uses. */
  unmountUnused(volumes: readonly { readonly name: string; readonly options: VolumeOptions }[]): Promise<void>;
  /** Fills an empty volume with what the image has at the place where it is mounted; one that has data is left as it is. */
  populate(name: string, rootfs: string, path: string): Promise<void>;
  /** Bytes on disk; none for a volume with mount options, whose data are elsewhere. */
  usage(name: string, options: VolumeOptions): Promise<number>;
}
