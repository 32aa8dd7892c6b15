import { existsSync, readFileSync, rmSync } from "node:fs";
import { instanceOf, instancePaths, projectRange, type Instance } from "../../src/lib/instance.ts";
import { removeCgroup } from "../../src/os/cgroup.ts";
import { readMounts } from "../../src/os/mount.ts";
import { releaseProjects } from "../../src/os/project-quota.ts";

/**
 * Takes away everything a throw-away instance has on the host, its roots included. No daemon and no container of it may run any more.
 * Refuses the default place.
 */
export function removeInstance({ dataRoot, execRoot }: Pick<Instance, "dataRoot" | "execRoot">): void {
  const instance = instanceOf(readId(dataRoot), dataRoot, execRoot);
  if (instance.name === "gantry") throw new Error("the default instance is not thrown away");
  for (const { target } of readMounts().reverse())
    if (target.startsWith(`${dataRoot}/`) || target.startsWith(`${execRoot}/`)) Bun.spawnSync(["umount", "-l", target]);
  if (instance.id !== "") removeFromHost(instance);
  for (const root of [dataRoot, execRoot]) rmSync(root, { recursive: true, force: true });
}

function removeFromHost(instance: Instance): void {
  const { containers, volumes } = instancePaths(instance);
  for (const place of [containers, volumes]) if (existsSync(place)) releaseProjects(place, projectRange(instance));
  const links = Bun.spawnSync(["ip", "-o", "link"]).stdout.toString();
  for (const [, name = ""] of links.matchAll(/^\d+: ([^:@]+)/gm)) {
    const isOwn = name === instance.defaultBridge || new RegExp(`^${instance.linkPrefix}[bv][0-9a-f]+$`).test(name);
    if (isOwn) Bun.spawnSync(["ip", "link", "del", name]);
  }
  Bun.spawnSync(["nft", "delete", "table", "inet", instance.nftTable], { stderr: "ignore" });
  removeFilterChain(instance.nftTable);
  removeCgroup(`/${instance.cgroupParent}`);
}

/** The one chain and jump in the host's own filter. */
function removeFilterChain(name: string): void {
  for (const family of ["ip", "ip6"]) {
    const listing = Bun.spawnSync(["nft", "-a", "list", "table", family, "filter"], { stderr: "ignore" }).stdout.toString();
    let chain = "";
    for (const line of listing.split("\n")) {
      chain = /^\tchain (\S+) \{/.exec(line)?.[1] ?? chain;
      const handle = /jump (\S+) # handle (\d+)/.exec(line);
      if (handle?.[1] === name) Bun.spawnSync(["nft", "delete", "rule", family, "filter", chain, "handle", handle[2] ?? ""]);
    }
    if (listing.includes(`chain ${name} {`))
      Bun.spawnSync(["nft", `flush chain ${family} filter ${name}; delete chain ${family} filter ${name}`]);
  }
}

function readId(dataRoot: string): string {
  try {
    return readFileSync(`${dataRoot}/instance-id`, "utf8").trim();
  } catch {
    return ""; // never started: nothing on the host but the roots
  }
}
