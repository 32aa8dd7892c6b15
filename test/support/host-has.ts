import { test } from "bun:test";
import { existsSync, readFileSync } from "node:fs";
import { nftablesLack } from "../../src/os/nftables/lack.ts";

/** What some tests need of their host and not every kernel has, each with the reason why this one has it not. */
const features = {
  /** Bridges, published ports, names of other containers. */
  nftables: () => nftablesLack() !== undefined && "this kernel has no nftables",
  cpuset: () => !hasController("cpuset") && "this kernel has no cpuset controller",
  "cgroup v1": () => existsSync("/sys/fs/cgroup/cgroup.controllers") && "this host has cgroup v2 alone",
  "cgroup v2": () => !existsSync("/sys/fs/cgroup/cgroup.controllers") && "this host has cgroup v1",
  /** Checkpoints of containers, by runc. */
  criu: () => criuLack(),
  /** Of folders, by ext4 or XFS. */
  "project quotas": () =>
    !/ (ext4|xfs) \S*\bp(rj)?quota\b/.test(readFileSync("/proc/mounts", "utf8")) && "no file system here has project quotas",
} satisfies Readonly<Record<string, () => string | false>>;

export type HostFeature = keyof typeof features;

const known = new Map<HostFeature, string | undefined>();

/** Why this host has not the feature; undefined when it has. */
export function lackOf(feature: HostFeature): string | undefined {
  if (!known.has(feature)) known.set(feature, features[feature]() || undefined);
  return known.get(feature);
}

type Declare = (name: string, body: () => Promise<void> | void, timeoutMilliseconds?: number) => void;

/** `test` where the host has the features; elsewhere the test is skipped, and its name says why. */
export function needs(...wanted: readonly HostFeature[]): Declare {
  return unless(wanted.flatMap((feature) => lackOf(feature) ?? [])[0]);
}

/** `test` where the host has not the feature, for what happens then. */
export function lacks(unwanted: HostFeature): Declare {
  return unless(lackOf(unwanted) === undefined ? `this host has ${unwanted}` : undefined);
}

function unless(reason: string | undefined): Declare {
  return (name, body, timeoutMilliseconds) => {
    if (reason === undefined) test(name, body, timeoutMilliseconds);
    else test.skip(`${name}: ${reason}`, body);
  };
}

function criuLack(): string | false {
  if (!Bun.which("runc")) return "runc is not installed here";
  if (!Bun.which("criu", { PATH: `${process.env["PATH"]}:/usr/sbin` })) return "criu is not installed here";
  const { exitCode, stderr } = Bun.spawnSync(["criu", "check"]);
  return exitCode !== 0 && `criu does not work here (${/^Error \([^)]*\): (.*)$/m.exec(stderr.toString())?.[1] ?? "it does not say why"})`;
}

function hasController(name: string): boolean {
  const unified = "/sys/fs/cgroup/cgroup.controllers";
  if (existsSync(unified)) return readFileSync(unified, "utf8").split(/\s+/).includes(name);
  return existsSync(`/sys/fs/cgroup/${name}`);
}
