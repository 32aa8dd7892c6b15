import { existsSync, readdirSync } from "node:fs";
import { MetadataStore } from "#drivers/metadata/store.ts";
import { HostNetworkDriver } from "#drivers/network/driver.ts";
import { messageOf } from "#lib/errors.ts";
import { instancePaths, projectRange } from "#lib/instance.ts";
import { silentLogger } from "#lib/log.ts";
import { cgroupHierarchies, cgroupProcesses, removeCgroup, thawCgroup } from "#os/cgroup.ts";
import { Kernel } from "#os/kernel.ts";
import { readMounts, unmount } from "#os/mount.ts";
import { releaseProjects } from "#os/project-quota.ts";
import { removeTree } from "#os/remove-tree.ts";
import type { NetworkConfig } from "#types/record/network.ts";
import { parseDaemonArguments } from "./config.ts";
import { openInstance } from "./instance.ts";

const help = `Usage:  gantry system purge [OPTIONS]

Take away everything the engine has made on this host: running containers, network, firewall rules, mounts, cgroups. The daemon must
not run. Data stays unless --data is given.

Options:
      --data-root path   Data root of the daemon (default /var/lib/gantry)
      --exec-root path   Exec root of the daemon
      --data             Remove the data root too: images, volumes, containers
      --force            Do not ask

Example:
  gantry system purge --force
`;

/** `gantry system purge`. Returns the exit code. */
export async function purgeCommand(args: readonly string[]): Promise<number> {
  if (args.includes("--help")) {
    console.log(help);
    return 0;
  }
  const own = ["--data", "--force"];
  try {
    const { config } = parseDaemonArguments(args.filter((word) => !own.includes(word)));
    if (!args.includes("--force") && !confirm(`This ends all containers of ${config.dataRoot}. Go on?`)) return 1;
    await purge(config, args.includes("--data"));
    return 0;
  } catch (error) {
    console.error(messageOf(error));
    return 1;
  }
}

async function purge(config: Parameters<typeof openInstance>[0], withData: boolean): Promise<void> {
  const opened = openInstance(config, silentLogger);
  const { instance } = opened;
  const paths = instancePaths(instance);
  const kernel = new Kernel();
  endProcesses(instance.cgroupParent);
  const network = new HostNetworkDriver({ instance, kernel, log: silentLogger });
  await network.restore(await recordedNetworks(paths.database), []);
  await network.purge();
  await network.close();
  await kernel.close();
  // Deepest first: a container's tree lies over its layers.
  const roots = [`${instance.dataRoot}/`, `${instance.execRoot}/`];
  for (const mount of readMounts().reverse()) if (roots.some((root) => mount.target.startsWith(root))) unmount(mount.target);
  removeCgroup(instance.cgroupParent);
  opened.close();
  removeTree(instance.execRoot);
  if (!withData) return;
  for (const place of [paths.containers, paths.volumes]) if (existsSync(place)) releaseProjects(place, projectRange(instance));
  removeTree(instance.dataRoot);
}

/** None where the database is damaged: what carries the instance's name goes all the same. */
async function recordedNetworks(database: string): Promise<NetworkConfig[]> {
  try {
    const store = await MetadataStore.open(database, silentLogger);
    const networks = [...store.table("network").values()].map((record) => record.config);
    await store.close();
    return networks;
  } catch (error) {
    console.error(messageOf(error));
    return [];
  }
}

/** Containers first, then what held them: all live in the instance's own cgroups, but for the monitors, which end with their containers. */
function endProcesses(cgroupParent: string): void {
  for (let round = 0; round < 100; round++) {
    const groups = cgroupHierarchies().flatMap((hierarchy) => containerGroups(`${hierarchy.path}/${cgroupParent}`));
    const pids = groups.flatMap(cgroupProcesses);
    if (pids.length === 0) return;
    for (const pid of new Set(pids)) killIfThere(pid);
    for (const group of groups) thawCgroup(group); // paused containers die only then
    Bun.sleepSync(20);
  }
}

/** The daemon's own group is not among them. */
function containerGroups(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && entry.name !== "daemon")
    .map((entry) => `${folder}/${entry.name}`);
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, "SIGKILL");
  } catch {
    // gone meanwhile
  }
}
