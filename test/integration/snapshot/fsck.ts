import { existsSync } from "node:fs";
import { join } from "node:path";

/**
 * erofs-utils' own check of an index, which reads all names, attributes and data. The one of this host, or that of the peers with the C library
 * that it was built for.
 */
const command = findFsck();

/** Why there is no such check on this host; undefined where there is. */
export const fsckLack: string | undefined =
  command === undefined ? "no fsck.erofs with --device on this host, nor below $GANTRY_PEER_ROOT" : undefined;

/** @returns what fsck.erofs complains of; "" when all is well, or when there is none */
export async function fsckComplaint(index: string, tar: string): Promise<string> {
  if (!command) return "";
  const child = Bun.spawn([...command, "--extract", "--xattrs", `--device=${tar}`, index], { stdio: ["ignore", "pipe", "pipe"] });
  const [output, message, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return code === 0 ? "" : `fsck.erofs ended with ${code}: ${message || output}`;
}

function findFsck(): readonly string[] | undefined {
  const root = process.env["GANTRY_PEER_ROOT"];
  const loader = `${root}/lib64/ld-linux-x86-64.so.2`;
  const program = `${root}/usr/bin/fsck.erofs`;
  if (root !== undefined && existsSync(loader) && existsSync(program))
    return [loader, "--library-path", [`${root}/usr/lib/x86_64-linux-gnu`, join(root, "lib/x86_64-linux-gnu")].join(":"), program];
  const own = Bun.which("fsck.erofs", { PATH: `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin` });
  // Before 1.8 it knows no second device.
  const help = own === null ? "" : Bun.spawnSync([own, "--help"]).stdout.toString();
  return own !== null && help.includes("--device") ? [own] : undefined;
}
