import { existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { resolve } from "node:path";

const folder = resolve(import.meta.dir, "../../node_modules/.cache/docker-client");

/**
 * Tests speak with Docker's own client. Where the host has none it is taken out of the distribution's package, which is not installed: it
 * would start a daemon. The client is on the PATH of this process and its children then.
 */
export async function ensureDockerClient(): Promise<void> {
  if (Bun.which("docker")) return;
  const programs = resolve(folder, "usr/bin");
  if (!existsSync(resolve(programs, "docker"))) await unpackClient();
  process.env["PATH"] = `${programs}:${process.env["PATH"] ?? ""}`;
}

async function unpackClient(): Promise<void> {
  console.error("Fetching Docker's client from the distribution, for the tests only");
  const work = `${folder}.new`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  // Newer suites have the client in a package of its own.
  for (const name of ["docker-cli", "docker.io"]) {
    const { exitCode } = Bun.spawnSync(["apt-get", "download", "-qq", name], { cwd: work, stdio: ["ignore", 2, "ignore"] });
    if (exitCode === 0) break;
  }
  const [archive] = [...new Bun.Glob("*.deb").scanSync({ cwd: work, absolute: true })];
  if (!archive || Bun.spawnSync(["dpkg-deb", "-x", archive, work], { stdio: ["ignore", 2, 2] }).exitCode !== 0) {
    console.error("Docker's client could not be fetched: install it, so that 'docker --version' answers, and run this again.");
    process.exit(1);
  }
  rmSync(archive);
  rmSync(folder, { recursive: true, force: true });
  renameSync(work, folder);
}
