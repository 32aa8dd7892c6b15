import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { readAptSources, sourceLine, sourcesOf } from "../../../src/helper/bootstrap/apt-sources.ts";
import { distributions } from "../../../src/helper/bootstrap/distributions.ts";
import { makeInitialFiles } from "./initial-files.ts";
import type { EmulatedKernel } from "./kernel.ts";
import { fail, run } from "./run.ts";

const tree = resolve(import.meta.dir, "../../..");
const folder = `${tree}/node_modules/.cache/arm64`;
const suite = "trixie"; // its kernel mounts layers from files
const placeOfTree = "/gantry";

/** What the tests use, and what these programs run need. */
const packages = [
  ...["linux-image-arm64", "kmod", "crun", "runc", "conmon", "catatonit", "nftables", "iproute2", "docker-cli", "busybox-static"],
  ...[
    "bash",
    "dash",
    "coreutils",
    "util-linux",
    "util-linux-extra",
    "mount",
    "procps",
    "findutils",
    "grep",
    "sed",
    "mawk",
    "hostname",
    "attr",
  ],
  ...["tar", "gzip", "xz-utils", "zstd", "e2fsprogs", "openssl", "ca-certificates", "base-passwd", "libc-bin", "libstdc++6"],
];

/** What depends on the processor: system calls and structures, machine code, filters of system calls, names of platforms. A folder: all in it. */
export const arm64Tests: readonly string[] = [
  "src/os/",
  "src/lib/",
  "src/drivers/runtime/",
  ...["lifecycle", "run", "archive", "project-guard"].map((name) => `test/integration/container/${name}.test.ts`),
  "test/integration/exec/exec.test.ts",
  "test/integration/network-api/network.test.ts",
  "test/integration/network-driver/network-driver.test.ts",
  "test/integration/image/platforms.test.ts",
];

/** A system of Debian for arm64 with its kernel and Bun, unpacked and not installed: no program for arm64 runs on this host. */
export async function ensureArm64Kernel(): Promise<EmulatedKernel> {
  if (!existsSync(`${folder}/initial-files`)) await unpackSystem();
  return {
    processor: "arm64",
    image: `${folder}/kernel`,
    initialFiles: `${folder}/initial-files`,
    root: `${folder}/root`,
    inside: { tree: placeOfTree, modulesRoot: "/", bun: "/usr/local/bin/bun", client: "/usr/bin" },
  };
}

async function unpackSystem(): Promise<void> {
  console.error("Fetching into node_modules/.cache, for these tests alone:");
  console.error(`  Debian ${suite} for arm64  a kernel and the programs of the tests (150 MB)`);
  console.error("  @oven/bun-linux-aarch64  Bun, from npm (35 MB)");
  const work = `${folder}.new`;
  rmSync(work, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  const root = `${work}/root`;
  await unpackPackages(root, work);
  await unpackBun(root, work);
  completeSystem(root);
  const [release = ""] = readdirSync(`${root}/usr/lib/modules`);
  await run(["depmod", "-b", root, release], work);
  copyFileSync(`${root}/boot/vmlinuz-${release}`, `${work}/kernel`);
  await makeInitialFiles({ folder: work, modulesRoot: root, release, busybox: `${root}/usr/bin/busybox` });
  rmSync(folder, { recursive: true, force: true });
  renameSync(work, folder);
}

async function unpackPackages(root: string, work: string): Promise<void> {
  const debian = distributions.find(({ name }) => name === "debian") ?? fail("no such distribution");
  const sources = readAptSources();
  const lines = sourcesOf(debian, suite, sources).map((source) => sourceLine(source));
  const include = packages.join(",");
  // None of their scripts runs: that would take an emulator for programs beside the one for machines.
  await run(["mmdebstrap", "--variant=extract", "--architectures=arm64", `--include=${include}`, suite, root, ...lines], work);
}

async function unpackBun(root: string, work: string): Promise<void> {
  const { version } = JSON.parse(readFileSync(`${tree}/node_modules/bun/package.json`, "utf8")) as { version: string }; // npm's own
  await run(["npm", "pack", "--silent", `@oven/bun-linux-aarch64@${version}`], work);
  const [archive = ""] = new Bun.Glob("*.tgz").scanSync({ cwd: work, absolute: true });
  await run(["tar", "-xzf", archive, "package/bin/bun"], work);
  mkdirSync(`${root}/usr/local/bin`, { recursive: true });
  renameSync(`${work}/package/bin/bun`, `${root}/usr/local/bin/bun`);
  rmSync(archive);
}

/** What the scripts of the packages would have done, as far as the tests need it. */
function completeSystem(root: string): void {
  for (const name of ["passwd", "group"]) copyFileSync(`${root}/usr/share/base-passwd/${name}.master`, `${root}/etc/${name}`);
  for (const name of ["subuid", "subgid"]) writeFileSync(`${root}/etc/${name}`, "");
  symlinkSync("mawk", `${root}/usr/bin/awk`);
  mkdirSync(`${root}${placeOfTree}`);
}
