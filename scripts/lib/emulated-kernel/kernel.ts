/** What a machine is booted from; all of it lies in the cache of this tree. */
export interface EmulatedKernel {
  readonly processor: "x86-64" | "arm64";
  readonly image: string;
  /** First file system of the kernel: what it needs to see its root. */
  readonly initialFiles: string;
  /** The folder of the host that is its root, read-only. */
  readonly root: string;
  /** Where things are, as the machine sees them. */
  readonly inside: {
    /** This tree. */
    readonly tree: string;
    /** `lib/modules/<release>` below it. */
    readonly modulesRoot: string;
    readonly bun: string;
    /** The folder of Docker's client. */
    readonly client: string;
  };
}
