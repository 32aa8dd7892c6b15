import { createReadStream, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { open } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { pack } from "tar-stream";

const layerCount = 4;
const filesPerLayer = 5000;
const fileBytes = 31_000;

/** What is measured with images: an archive of one, and a registry that has it. */
export interface BigImage extends AsyncDisposable {
  readonly archive: string;
  /** Name inside the archive. */
  readonly name: string;
  /** Name in the registry; absent where there is no docker-registry or skopeo. */
  readonly remote: string | undefined;
  readonly description: string;
}

/** Makes an image of 620 MB in 20,000 files, half of whose bytes compress. */
export async function makeBigImage(): Promise<BigImage> {
  const folder = mkdtempSync(join(tmpdir(), "gantry-bench-image-"));
  const name = "bench/big:1";
  const archive = join(folder, "big.tar");
  await writeArchive(archive, name, folder);
  const registry = await startRegistry(folder, archive);
  return {
    archive,
    name,
    remote: registry?.remote,
    description: `${Math.round((layerCount * filesPerLayer * fileBytes) / 1e6)} MB in ${layerCount * filesPerLayer} files and ${layerCount} layers`,
    async [Symbol.asyncDispose]() {
      registry?.server.kill();
      await registry?.server.exited;
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

async function writeArchive(path: string, name: string, folder: string): Promise<void> {
  const layers: { readonly path: string; readonly diffId: string; readonly size: number }[] = [];
  for (let index = 0; index < layerCount; index++) layers.push(await writeLayer(join(folder, `layer-${index}.tar`), index));
  const config = JSON.stringify({
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    created: "2026-01-01T00:00:00Z",
    config: { Cmd: ["true"] },
    rootfs: { type: "layers", diff_ids: layers.map(({ diffId }) => diffId) },
  });
  const configName = `${new Bun.CryptoHasher("sha256").update(config).digest("hex")}.json`;
  const manifest = JSON.stringify([{ Config: configName, RepoTags: [name], Layers: layers.map((_, index) => `${index}/layer.tar`) }]);
  const tar = pack();
  const written = writeStream(tar, path);
  tar.entry({ name: configName }, config);
  tar.entry({ name: "manifest.json" }, manifest);
  for (const [index, layer] of layers.entries()) {
    await pipeline(createReadStream(layer.path), tar.entry({ name: `${index}/layer.tar`, size: layer.size }));
    rmSync(layer.path);
  }
  tar.finalize();
  await written;
}

async function writeLayer(path: string, layer: number): Promise<{ path: string; diffId: string; size: number }> {
  const tar = pack();
  const written = writeStream(tar, path);
  for (let file = 0; file < filesPerLayer; file++) {
    const content = Buffer.alloc(fileBytes, `layer ${layer} file ${file} `);
    crypto.getRandomValues(content.subarray(0, fileBytes / 2));
    await new Promise<void>((resolve) => {
      tar.entry({ name: `data/${layer}/${file % 100}/${file}`, mtime: new Date(0) }, content, () => resolve());
    });
  }
  tar.finalize();
  const { digest, size } = await written;
  return { path, diffId: `sha256:${digest}`, size };
}

async function writeStream(tar: AsyncIterable<unknown>, path: string): Promise<{ digest: string; size: number }> {
  await using file = await open(path, "w");
  const hash = new Bun.CryptoHasher("sha256");
  let size = 0;
  for await (const chunk of tar) {
    const bytes = chunk as Uint8Array;
    hash.update(bytes);
    size += bytes.length;
    await file.write(bytes);
  }
  return { digest: hash.digest("hex"), size };
}

async function startRegistry(folder: string, archive: string): Promise<{ server: Bun.Subprocess; remote: string } | undefined> {
  if (!Bun.which("docker-registry") || !Bun.which("skopeo")) {
    console.error("docker-registry or skopeo is not installed: pulls are left out");
    return undefined;
  }
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const host = `127.0.0.1:${probe.port}`;
  probe.stop(true);
  const config = join(folder, "registry.yml");
  writeFileSync(
    config,
    `version: 0.1\nlog: { level: error, accesslog: { disabled: true } }\nstorage: { filesystem: { rootdirectory: ${folder}/registry } }\nhttp: { addr: "${host}" }\n`,
  );
  const server = Bun.spawn(["docker-registry", "serve", config], { stdio: ["ignore", "ignore", "ignore"] });
  const remote = `${host}/bench/big:1`;
  const answers = (): Promise<boolean> =>
    fetch(`http://${host}/v2/`).then(
      ({ ok }) => ok,
      () => false,
    );
  while (server.exitCode === null && !(await answers())) await Bun.sleep(20);
  const push = Bun.spawn(["skopeo", "copy", "-q", "--dest-tls-verify=false", `docker-archive:${archive}`, `docker://${remote}`], {
    stdio: ["ignore", "ignore", "inherit"],
  });
  if ((await push.exited) !== 0) throw new Error("the image could not be pushed to the registry");
  return { server, remote };
}
