/** Named data outside of containers. `local` keeps a folder per volume under `<data root>/volumes/NAME/_data`. */
export interface VolumeDriver {
  readonly name: string;
  /** Makes the folder (or checks the mount options). Idempotent. @throws {EngineError} `invalid` for bad options */
  create(name: string, options: Readonly<Record<string, string>>): Promise<void>;
  /** Removes the data. The engine has checked that nobody uses it. */
  remove(name: string): Promise<void>;
  /** Path of the data on the host; does not mean that it is mounted. */
  path(name: string): string;
  /** Makes the data available; counted per user. Volumes with mount options are mounted with the first. */
  mount(name: string, options: Readonly<Record<string, string>>, user: string): Promise<string>;
  unmount(name: string, user: string): Promise<void>;
  /** Fills an empty volume with what the image has at the place where it is mounted; one that has data is left as it is. */
  populate(name: string, rootfs: string, path: string): Promise<void>;
  /** Bytes on disk. */
  usage(name: string): Promise<number>;
}
