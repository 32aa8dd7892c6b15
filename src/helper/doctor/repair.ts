import { existsSync, mkdirSync, rmdirSync } from "node:fs";
import { messageOf } from "#lib/errors.ts";
import { mountFileSystem } from "#os/mount.ts";
import type { Check, Repair } from "./check.ts";

/** Does what the checks say can be done, and tells each step before it is taken. A step that fails is told, the others are taken. */
export async function repair(checks: readonly Check[], tell: (line: string) => void): Promise<void> {
  const repairs = checks.flatMap((check) => (check.repair && check.status !== "ok" ? [check.repair] : []));
  const packages = repairs.flatMap((one) => (one.type === "install" ? one.packages : []));
  if (packages.length > 0) await install(packages, checks, tell);
  for (const one of repairs) if (one.type === "mount-controller") mountController(one, tell);
}

async function install(packages: readonly string[], checks: readonly Check[], tell: (line: string) => void): Promise<void> {
  const path = Bun.which("apt-get", { PATH: `${process.env["PATH"] ?? ""}:/usr/bin` });
  if (path === null) return tell(`there is no apt-get here: install ${packages.join(", ")} with the distribution's own package manager`);
  const reasons = checks.filter(({ repair }) => repair?.type === "install").map(({ name, detail }) => `${name}: ${detail}`);
  tell(`installing ${packages.join(" ")} with apt-get, because of ${reasons.join("; ")}`);
  const aptGet = (...args: readonly string[]): Promise<number> =>
    Bun.spawn([path, ...args], { stdio: ["ignore", 2, 2], env: { ...process.env, DEBIAN_FRONTEND: "noninteractive", LC_ALL: "C.UTF-8" } })
      .exited;
  const installAll = ["install", "-y", "-qq", "--no-install-recommends", ...packages];
  if ((await aptGet(...installAll)) === 0) return;
  tell("the lists of packages may be old: apt-get update");
  await aptGet("update", "-qq");
  if ((await aptGet(...installAll)) !== 0) tell(`apt-get could not install ${packages.join(" ")}: see its messages above`);
}

function mountController({ controller }: Extract<Repair, { type: "mount-controller" }>, tell: (line: string) => void): void {
  const folder = `/sys/fs/cgroup/${controller}`;
  tell(`mounting the cgroup controller ${controller} as v1 on ${folder}`);
  const isNew = !existsSync(folder);
  try {
    if (isNew) mkdirSync(folder);
    mountFileSystem("cgroup", folder, "cgroup", 0, controller);
  } catch (error) {
    tell(`that failed: ${messageOf(error)}`);
    if (isNew && existsSync(folder)) rmdirSync(folder);
  }
}
