import { readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { EngineError } from "#lib/errors.ts";
import type { BootstrappedImage } from "./image-archive.ts";
import { LayerWriter } from "./layer-writer.ts";
import { run } from "./run.ts";
import { parseParagraphs } from "./sbom-control.ts";
import { distributionOf, toPackage } from "./sbom-package.ts";

const packageName = "busybox-static";

const folders: readonly (readonly [path: string, mode: number])[] = [
  ["bin", 0o755],
  ["dev", 0o755],
  ["etc", 0o755],
  ["home", 0o755],
  ["proc", 0o755],
  ["root", 0o700],
  ["sys", 0o755],
  ["tmp", 0o1777],
  ["usr", 0o755],
  ["usr/bin", 0o755],
  ["usr/sbin", 0o755],
  ["var", 0o755],
  ["var/spool", 0o755],
  ["var/www", 0o755],
];

const files: Readonly<Record<string, string>> = {
  "etc/group": "root:x:0:\ndaemon:x:1:\nbin:x:2:\nsys:x:3:\ntty:x:5:\nmail:x:8:\nwww-data:x:33:\nusers:x:100:\nnogroup:x:65534:\n",
  "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
  "etc/passwd":
    "root:x:0:0:root:/root:/bin/sh\ndaemon:x:1:1:daemon:/usr/sbin:/bin/false\nwww-data:x:33:33:www-data:/var/www:/bin/false\nnobody:x:65534:65534:nobody:/home:/bin/false\n",
};

/** `busybox:latest` from the package of the host's own distribution, whose signature apt has checked. */
export async function buildBusybox(folder: string, tell: (line: string) => void): Promise<BootstrappedImage> {
  tell(`downloading ${packageName} with apt`);
  const packageFile = await download(folder, tell);
  const control = parseParagraphs(await run(["dpkg-deb", "--field", packageFile], { folder }))[0] ?? new Map<string, string>();
  const version = control.get("version") ?? "";
  await run(["dpkg-deb", "--extract", packageFile, "unpacked"], { folder });
  const program = findBusybox(join(folder, "unpacked"));
  const epochSeconds = Math.floor(statSync(program).mtimeMs / 1000);
  const applets = (await run([program, "--list"], { folder })).split("\n").filter((name) => name !== "" && name !== "busybox");

  using layer = new LayerWriter(join(folder, "layer.tar"));
  const common = { uid: 0, gid: 0, modified: { seconds: epochSeconds, nanoseconds: 0 } };
  const entries = [
    ...folders.map(([path, mode]) => ({ path, write: () => layer.add({ ...common, type: "directory", path: `${path}/`, mode }) })),
    ...Object.entries(files).map(([path, text]) => ({
      path,
      write: () => layer.add({ ...common, type: "file", path, mode: 0o644 }, Buffer.from(text)),
    })),
    { path: "bin/busybox", write: () => layer.add({ ...common, type: "file", path: "bin/busybox", mode: 0o755 }, readFileSync(program)) },
    ...applets.map((name) => ({
      path: `bin/${name}`,
      write: () => layer.add({ ...common, type: "symlink", path: `bin/${name}`, link: "busybox", mode: 0o777 }),
    })),
    // Scripts begin with it.
    {
      path: "usr/bin/env",
      write: () => layer.add({ ...common, type: "symlink", path: "usr/bin/env", link: "../../bin/busybox", mode: 0o777 }),
    },
  ];
  for (const { write } of entries.sort((first, second) => (first.path < second.path ? -1 : 1))) write();
  return {
    reference: "busybox:latest",
    layer: layer.finish(),
    command: ["sh"],
    epochSeconds,
    labels: { "org.opencontainers.image.title": "busybox", "org.opencontainers.image.version": version },
    createdBy: `gantry image bootstrap busybox (${packageName} ${version})`,
    packages: [toPackage(control, { copyright: copyrightIn(join(folder, "unpacked")), sha256: sha256Of(join(folder, packageFile)) })],
    distribution: distributionOf(),
  };
}

/** apt compares the package with its signed lists; they are fetched when the host has none, or old ones. */
async function download(folder: string, tell: (line: string) => void): Promise<string> {
  // As root apt would download as another user, who may not write here.
  const command = ["apt-get", "-o", "APT::Sandbox::User=root", "download", packageName];
  try {
    await run(command, { folder });
  } catch {
    tell("apt's lists of packages are missing or old: apt-get update");
    await run(["apt-get", "update"], { folder });
    await run(command, { folder });
  }
  const name = readdirSync(folder).find((entry) => entry.endsWith(".deb"));
  if (name === undefined) throw new EngineError("unavailable", `apt-get download left no ${packageName} package`);
  return name;
}

function copyrightIn(root: string): string | undefined {
  const path = join(root, "usr/share/doc", packageName, "copyright");
  return statSync(path, { throwIfNoEntry: false }) && readFileSync(path, "utf8");
}

const sha256Of = (path: string): string => new Bun.CryptoHasher("sha256").update(readFileSync(path)).digest("hex");

function findBusybox(root: string): string {
  const path = ["bin/busybox", "usr/bin/busybox"]
    .map((place) => join(root, place))
    .find((place) => statSync(place, { throwIfNoEntry: false }));
  if (path === undefined) throw new EngineError("unavailable", `the package ${packageName} has no program busybox`);
  return path;
}
