import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { idmapLack } from "#drivers/snapshot/idmap-probe.ts";
import { openSnapshotter } from "#drivers/snapshot/probe.ts";
import type { StorageDriverName } from "#drivers/snapshot/storage-driver.ts";
import { upperLack } from "#drivers/snapshot/upper-probe.ts";
import { messageOf } from "#lib/errors.ts";
import { silentLogger, type LogFields } from "#lib/log.ts";
import { Kernel } from "#os/kernel.ts";
import { createNetworkNamespace } from "#os/netns.ts";
import { createBridge, createVethPair } from "#os/netlink/link.ts";
import { RouteSocket } from "#os/netlink/route-socket.ts";
import { nftablesLack } from "#os/nftables/lack.ts";
import type { Check } from "./check.ts";
import { checkQuota } from "./quota.ts";
import { existingFolder } from "./existing-folder.ts";

/** What the kernel can do, told by doing it: in a folder where the data will be, and in a network namespace of its own. */
export async function checkKernel(dataRoot: string): Promise<Check[]> {
  const kernel = new Kernel();
  try {
    const folder = mkdtempSync(join(existingFolder(dirname(dataRoot)), ".gantry-doctor-"));
    try {
      const overlay = await checkOverlay(folder, kernel);
      const erofs = await checkErofs(folder, kernel);
      const driver = overlay.status !== "ok" ? "vfs" : erofs.status === "ok" ? "erofs" : "overlay2";
      return [overlay, erofs, await checkIdMaps(folder, kernel, driver), checkQuota(dataRoot), checkNftables(), ...checkLinks()];
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  } catch (error) {
    return [
      {
        name: "data root",
        status: "missing",
        detail: `${dataRoot} cannot be used: ${messageOf(error)}`,
        advice: "Name another folder with --data-root",
      },
    ];
  } finally {
    await kernel.close();
  }
}

async function checkOverlay(folder: string, kernel: Kernel): Promise<Check> {
  const place = join(folder, "overlay");
  mkdirSync(place);
  const lack = await upperLack(place, kernel);
  if (lack === undefined) return { name: "overlay", status: "ok", detail: "root file systems can be mounted" };
  return {
    name: "overlay",
    status: "warn",
    detail: `layers and containers will be whole copies, which take more room and time (storage driver vfs): ${lack}`,
    advice: "Name a folder on ext4, xfs or btrfs with --data-root, in a container a volume; or load it: modprobe overlay",
  };
}

async function checkErofs(folder: string, kernel: Kernel): Promise<Check> {
  const reasons: (LogFields | undefined)[] = [];
  let isOnLoopDevices = false;
  const logger = {
    ...silentLogger,
    // All that the probe has to tell of a mount that works is that it took them.
    info: () => void (isOnLoopDevices = true),
    warn: (_message: string, fields?: LogFields) => void reasons.push(fields),
  };
  const layers = join(folder, "layers");
  try {
    const snapshotter = await openSnapshotter({ layers }, kernel, logger);
    await snapshotter.close();
    const way = isOnLoopDevices ? "through loop devices, two for each" : "from files";
    if (snapshotter.name === "vfs") return { name: "erofs", status: "info", detail: "is not used: the storage driver is vfs" };
    if (snapshotter.name === "erofs") return { name: "erofs", status: "ok", detail: `layers are mounted without unpacking, ${way}` };
  } catch (error) {
    return { name: "erofs", status: "missing", detail: messageOf(error), advice: "Name another folder with --data-root" };
  }
  const told = reasons[0]?.["reason"];
  const reason = typeof told === "string" ? told : "the probe failed";
  return {
    name: "erofs",
    status: "warn",
    detail: `layers will be unpacked, pulls are slower: ${reason}`,
    advice: "modprobe -a erofs loop: Linux 6.13 or newer mounts them from files, an older one through loop devices",
  };
}

async function checkIdMaps(folder: string, kernel: Kernel, driver: StorageDriverName): Promise<Check> {
  const name = "user namespaces";
  const ranges = [{ containerId: 0, hostId: 100_000, size: 65_536 }];
  const lack = await idmapLack(folder, kernel, driver, { uids: ranges, gids: ranges });
  if (lack === undefined) return { name, status: "ok", detail: "--userns-remap can be used" };
  const advice = "Linux 5.19 or newer maps ids of ext4, xfs and btrfs: name a folder on one of them with --data-root";
  return { name, status: "warn", detail: `--userns-remap cannot be used: ${lack}`, advice };
}

function checkNftables(): Check {
  try {
    const lack = nftablesLack();
    if (lack === undefined) return { name: "nf_tables", status: "ok", detail: "the firewall can be set" };
    return {
      name: "nf_tables",
      status: "missing",
      detail: `networks of the driver bridge cannot be used, only none and host: ${lack}`,
      advice: "Load it: modprobe -a nf_tables nft_chain_nat; or run a kernel with CONFIG_NF_TABLES_INET and CONFIG_NFT_NAT",
    };
  } catch (error) {
    return { name: "nf_tables", status: "missing", detail: messageOf(error), advice: "CAP_NET_ADMIN is needed" };
  }
}

/** A bridge and a veth pair, in a network namespace that goes away with them. */
function checkLinks(): Check[] {
  const failures = new Map<string, unknown>();
  try {
    const { descriptor } = createNetworkNamespace([], () => {
      using route = new RouteSocket();
      const attempt = (name: string, make: () => void): void => {
        try {
          make();
        } catch (error) {
          failures.set(name, error);
        }
      };
      attempt("bridge", () => route.apply(createBridge({ name: "doctor0", mac: "02:00:00:00:00:01", mtu: 1500 })));
      attempt("veth", () => {
        const master = route.link("doctor0")?.index ?? 0;
        const namespace = openSync("/proc/thread-self/ns/net", "r");
        try {
          route.apply(
            createVethPair({ name: "doctor1", master, mtu: 1500, peer: { name: "doctor2", mac: "02:00:00:00:00:02", namespace } }),
          );
        } finally {
          closeSync(namespace);
        }
      });
    });
    closeSync(descriptor);
  } catch (error) {
    return [
      { name: "network namespaces", status: "missing", detail: messageOf(error), advice: "CAP_SYS_ADMIN and CONFIG_NET_NS are needed" },
    ];
  }
  return ["bridge", "veth"].map((name): Check => {
    const failure = failures.get(name);
    if (failure === undefined) return { name, status: "ok", detail: "links can be made" };
    return { name, status: "missing", detail: messageOf(failure), advice: `Load it: modprobe ${name}; CAP_NET_ADMIN is needed` };
  });
}
