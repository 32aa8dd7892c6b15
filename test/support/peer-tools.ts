import { existsSync } from "node:fs";
import { join } from "node:path";

/** Programs of other projects that make and read images. */
export type PeerTool = "buildah" | "podman" | "skopeo" | "umoci" | "docker" | "buildx";

/** Where a program of the peers sees the folder that it is given. */
export const peerFolder = "/mnt";

const root = process.env["GANTRY_PEER_ROOT"];
const dockerHost = process.env["GANTRY_PEER_DOCKER_HOST"];

/** Why a program cannot be used here; undefined when it can. */
export function peerLack(tool: PeerTool): string | undefined {
  if (tool === "umoci" || tool === "skopeo") return Bun.which(tool) === null ? `no ${tool} on this host` : undefined;
  if (tool === "docker") return dockerHost === undefined ? "no GANTRY_PEER_DOCKER_HOST" : undefined;
  if (tool === "buildx") return dockerHost === undefined || !process.env["GANTRY_PEER_BUILDX"] ? "no GANTRY_PEER_BUILDX" : undefined;
  return root !== undefined && existsSync(join(root, "usr/bin", tool)) ? undefined : `no ${tool} below $GANTRY_PEER_ROOT`;
}

/** Mounts of its own, gone with it: the peers' folder is as it was. */
const enter =
  'R=$1; F=$2; shift 2; mount -t proc proc $R/proc; mount --rbind /dev $R/dev; mount --rbind /sys $R/sys; mount --bind "$F" $R/mnt; ' +
  'mount -t tmpfs tmpfs $R/run; mount -t tmpfs tmpfs $R/tmp; exec chroot $R "$@"';

/** Runs a program of the peers, which sees `folder` as `peerFolder`. @returns what it prints @throws {Error} with what it complains of */
export function runPeer(tool: PeerTool, folder: string, args: readonly string[]): Promise<string> {
  const config = process.env["GANTRY_PEER_DOCKER_CONFIG"];
  const dockerConfig = config === undefined ? {} : { DOCKER_CONFIG: config };
  if (tool === "docker") return run(["docker", "-H", dockerHost ?? "", ...args], dockerConfig);
  if (tool === "buildx") return run(["docker", "-H", dockerHost ?? "", "buildx", ...args], dockerConfig);
  if (tool === "umoci" || tool === "skopeo") return run([tool, ...args]);
  const storage = ["--root", `${peerFolder}/storage`, "--runroot", `${peerFolder}/run`, "--storage-driver", "vfs"];
  const quiet = { PODMAN_IGNORE_CGROUPSV1_WARNING: "1" };
  return run(["unshare", "-m", "sh", "-ec", enter, "sh", root ?? "", folder, tool, ...storage, ...args], quiet);
}

async function run(command: readonly string[], environment: Readonly<Record<string, string>> = {}): Promise<string> {
  const child = Bun.spawn([...command], { stdout: "pipe", stderr: "pipe", env: { ...process.env, ...environment } });
  const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  if (code !== 0) throw new Error(`${command.at(0)} ${command.at(-1)} ended with ${code}: ${err || out}`);
  return out.trim();
}
