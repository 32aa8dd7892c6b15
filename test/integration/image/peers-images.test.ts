import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { copyFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { startRealRegistry, type RealRegistry } from "../../support/docker-registry.ts";
import { peerFolder, peerLack, runPeer, type PeerTool } from "../../support/peer-tools.ts";
import { scratchFolder } from "../../support/scratch-folder.ts";
import { mediaTypes } from "#types/oci/image.ts";
import { tar } from "./fixtures.ts";

// What other programs make is pulled and run here, and what we push and save is read by them.
const folder = scratchFolder("peers-images", afterAll);
const policy = `--signature-policy=${peerFolder}/policy.json`;
let daemon: TestDaemon;
let registry: RealRegistry;

beforeAll(async () => {
  const program = readFileSync(Bun.which("busybox", { PATH: "/bin:/usr/bin" }) ?? "");
  writeFileSync(
    join(folder, "rootfs.tar"),
    tar({ "bin/": "", "bin/busybox": program, "bin/sh": { link: "busybox" }, "etc/": "", "etc/made": "by a peer\n" }),
  );
  writeFileSync(join(folder, "policy.json"), '{"default":[{"type":"insecureAcceptAnything"}]}');
  writeFileSync(join(folder, "Dockerfile"), 'FROM scratch\nADD rootfs.tar /\nCMD ["/bin/sh", "-c", "cat /etc/made"]\n');
  mkdirSync(join(folder, "registry"));
  registry = await startRealRegistry({ folder: join(folder, "registry") });
  daemon = await startDaemon();
}, 60_000);
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await endClean(daemon);
}, 60_000);

async function gantry(...args: readonly string[]): Promise<string> {
  const main = join(import.meta.dir, "../../../src/main.ts");
  const child = Bun.spawn([process.execPath, main, "-H", daemon.host, ...args], { stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  if (code !== 0) throw new Error(`gantry ${args[0]} ended with ${code}: ${err || out}`);
  return out.trim();
}

/** By podman or buildah, which build alike. */
async function buildAndPush(tool: PeerTool, name: string, format: "oci" | "docker", compression: string): Promise<void> {
  const build = ["build", "-q", "--isolation", "chroot", "--network", "host", policy, "--format", format, "-t", name, peerFolder];
  await runPeer(tool, folder, build);
  const push = ["push", "-q", policy, "--tls-verify=false", "--compression-format", compression, "--force-compression", name];
  await runPeer(tool, folder, [...push, `docker://${name}`]);
}

interface Maker {
  readonly title: string;
  readonly tools: readonly PeerTool[];
  readonly layerType: string;
  /** Makes the image and pushes it. */
  readonly make: (name: string) => Promise<unknown>;
}

const cmd = 'CMD ["/bin/sh", "-c", "cat /etc/made"]';
const makers: readonly Maker[] = [
  {
    title: "docker",
    tools: ["docker"],
    layerType: mediaTypes.dockerLayerGzip,
    make: async (name) => {
      await runPeer("docker", folder, ["import", "-c", cmd, join(folder, "rootfs.tar"), name]);
      await runPeer("docker", folder, ["push", "-q", name]);
      await runPeer("docker", folder, ["rmi", name]);
    },
  },
  {
    title: "buildx",
    tools: ["buildx"],
    layerType: mediaTypes.dockerLayerGzip,
    make: async (name) => {
      const context = join(folder, "context");
      mkdirSync(context);
      for (const file of ["Dockerfile", "rootfs.tar"]) copyFileSync(join(folder, file), join(context, file));
      await runPeer("buildx", folder, ["build", "-q", "--push", "-t", name, context]);
      await runPeer("docker", folder, ["rmi", "-f", name]).catch(() => undefined); // a builder that keeps no image
      await runPeer("docker", folder, ["builder", "prune", "-af"]);
    },
  },
  {
    title: "podman, OCI with zstd",
    tools: ["podman"],
    layerType: mediaTypes.ociLayerZstd,
    make: (name) => buildAndPush("podman", name, "oci", "zstd"),
  },
  {
    title: "buildah, Docker with gzip",
    tools: ["buildah"],
    layerType: mediaTypes.dockerLayerGzip,
    make: (name) => buildAndPush("buildah", name, "docker", "gzip"),
  },
  {
    title: "buildah, zstd in chunks",
    tools: ["buildah"],
    layerType: mediaTypes.ociLayerZstd,
    make: (name) => buildAndPush("buildah", name, "oci", "zstd:chunked"),
  },
  {
    title: "umoci and skopeo",
    tools: ["umoci", "skopeo"],
    layerType: mediaTypes.ociLayerGzip,
    make: async (name) => {
      const layout = join(folder, "layout");
      const bundle = join(folder, "bundle");
      await runPeer("umoci", folder, ["init", "--layout", layout]);
      await runPeer("umoci", folder, ["new", "--image", `${layout}:made`]);
      await runPeer("umoci", folder, ["unpack", "--image", `${layout}:made`, bundle]);
      Bun.spawnSync(["tar", "-C", join(bundle, "rootfs"), "-xf", join(folder, "rootfs.tar")]);
      await runPeer("umoci", folder, ["repack", "--image", `${layout}:made`, bundle]);
      const words = ["/bin/sh", "-c", "cat /etc/made"].map((word) => `--config.cmd=${word}`);
      await runPeer("umoci", folder, ["config", "--image", `${layout}:made`, ...words]);
      await runPeer("skopeo", folder, ["copy", "-q", "--dest-tls-verify=false", `oci:${layout}:made`, `docker://${name}`]);
    },
  },
];

const lackOf = (tools: readonly PeerTool[]): string | undefined => tools.map(peerLack).find((lack) => lack !== undefined);
const titled = (title: string, tools: readonly PeerTool[]): string =>
  `${title}${lackOf(tools) === undefined ? "" : ` (skipped: ${lackOf(tools)})`}`;

describe("an image is pulled and run that was made by (IMG-26, IMG-30, REG-19)", () => {
  for (const [index, { title, tools, layerType, make }] of makers.entries())
    test.skipIf(lackOf(tools) !== undefined)(
      titled(title, tools),
      async () => {
        const name = `${registry.host}/made/by${index}:1`;
        await make(name);
        expect(await gantry("pull", "-q", name)).toBe(name);
        expect(await layerTypes(`made/by${index}`)).toContain(layerType);
        expect(await gantry("run", "--rm", "--network", "none", name)).toBe("by a peer");
        await gantry("rmi", name);
      },
      110_000,
    );
});

/** Of what the registry has. */
async function layerTypes(repository: string): Promise<string[]> {
  const accept = [mediaTypes.ociManifest, mediaTypes.dockerManifest].join(", ");
  const response = await fetch(`http://${registry.host}/v2/${repository}/manifests/1`, { headers: { accept } });
  const { layers } = (await response.json()) as { readonly layers: readonly { readonly mediaType: string }[] };
  return layers.map(({ mediaType }) => mediaType);
}

interface Reader {
  readonly tools: readonly PeerTool[];
  readonly title: string;
  /** @param archive  of a save, below the folder @returns what it makes of the image */
  readonly read: (name: string, archive: string) => Promise<unknown>;
}

const readers: readonly Reader[] = [
  {
    tools: ["docker"],
    title: "docker",
    read: async (name, archive) => {
      await runPeer("docker", folder, ["pull", "-q", name]);
      expect(await runPeer("docker", folder, ["run", "--rm", "--network", "none", name])).toBe("by a peer");
      await runPeer("docker", folder, ["rmi", name]);
      expect(await runPeer("docker", folder, ["load", "-q", "-i", join(folder, archive)])).toBe(`Loaded image: ${name}`);
      await runPeer("docker", folder, ["rmi", name]);
    },
  },
  {
    tools: ["podman"],
    title: "podman",
    read: async (name, archive) => {
      const id = await runPeer("podman", folder, ["pull", "-q", policy, "--tls-verify=false", `docker://${name}`]);
      await runPeer("podman", folder, ["rmi", id]);
      expect(await runPeer("podman", folder, ["load", "-q", policy, "-i", `${peerFolder}/${archive}`])).toContain(name);
    },
  },
  {
    tools: ["skopeo", "umoci"],
    title: "skopeo and umoci",
    read: async (name, archive) => {
      const layout = join(folder, "back");
      await runPeer("skopeo", folder, ["copy", "-q", "--src-tls-verify=false", `docker://${name}`, `oci:${layout}:pushed`]);
      await runPeer("skopeo", folder, ["copy", "-q", `docker-archive:${join(folder, archive)}`, `oci:${layout}:saved`]);
      for (const tag of ["pushed", "saved"]) {
        await runPeer("umoci", folder, ["unpack", "--image", `${layout}:${tag}`, join(folder, tag)]);
        expect(readFileSync(join(folder, tag, "rootfs/etc/made"), "utf8")).toBe("by a peer\n");
      }
    },
  },
];

describe("what we push and save is read by (REG-05, REG-19)", () => {
  for (const [index, { title, tools, read }] of readers.entries())
    test.skipIf(lackOf(tools) !== undefined)(
      titled(title, tools),
      async () => {
        const name = `${registry.host}/ours/for${index}:1`;
        await gantry("import", "-c", cmd, join(folder, "rootfs.tar"), name);
        await gantry("push", "-q", name);
        await gantry("save", "-o", join(folder, `save${index}.tar`), name);
        await read(name, `save${index}.tar`);
        await gantry("rmi", name);
      },
      110_000,
    );
});
