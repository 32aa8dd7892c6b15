export interface TestSelection {
  readonly file: string;
  /** A pattern for the names of the tests that are run; absent: all of the file. */
  readonly names?: string;
}

/**
 * What is run on the second kernel: the life and the limits of containers, on what differs there (cgroup v2, no nftables, layers on loop
 * devices, project quotas). Where a file is about more than that, some of its tests: a run of a container takes a second there. The longest come
 * first, so that the machines end together.
 */
export const secondKernelTests: readonly TestSelection[] = [
  { file: "test/integration/container/project-quota-ext4.test.ts" },
  { file: "test/integration/container/archive.test.ts" },
  { file: "test/integration/container/run.test.ts" },
  // Two hundred layers fill the one page of options that this kernel takes for an overlay: docs/known-gaps.md.
  {
    file: "test/integration/snapshot/unpacked.test.ts",
    names: "^(?!.*hundreds of layers are one tree).*(files of layers|mounts and counts|changes of a container)",
  },
  // What this kernel takes by itself: no EROFS from files, but from loop devices.
  {
    file: "test/integration/snapshot/erofs-loop.test.ts",
    names:
      "^(?!.*hundreds of layers are one tree).*(files of layers|mounts and counts|changes of a container|go with its mount|by themselves)",
  },
  { file: "test/integration/image/deep-image.test.ts" },
  { file: "test/integration/container/health.test.ts", names: "cannot be run fails|hangs is killed|without a program|leaves nothing" },
  { file: "test/integration/container/restart-of-daemon.test.ts", names: "F8|F9" },
  { file: "test/integration/container/update.test.ts" },
  { file: "test/integration/container/lifecycle.test.ts", names: "goes from created|stopped ends|paused|top shows|on-failure:2|prune" },
  { file: "test/integration/container/stats.test.ts" },
  { file: "test/integration/container/cgroup2.test.ts" },
  {
    file: "test/integration/container/streams.test.ts",
    names: "size and passes|detach keys|million lines|binary bytes|follow ends|ends the input",
  },
  { file: "test/integration/exec/exec.test.ts" },
  { file: "test/integration/container/out-of-memory.test.ts", names: "survives is told|is away" },
  { file: "test/integration/container/size-limit.test.ts" },
  { file: "test/integration/container/project-quota-probe.test.ts" },
  { file: "test/integration/audit/quotas.test.ts" },
  // What ext4 and XFS do in their own ways; the rest is the daemon's.
  { file: "test/integration/container/project-quota-xfs.test.ts", names: "is a quota|option size limits|under crun|lost of a limit" },
  { file: "test/integration/container/limits.test.ts", names: "H4" },
  { file: "test/integration/log/local.test.ts", names: "LOG-01|LOG-11" },
  { file: "test/integration/container/changes.test.ts" },
  { file: "test/integration/network-api/no-nftables.test.ts" },
];
