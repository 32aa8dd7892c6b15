import { readFileSync } from "node:fs";
import { pack } from "tar-stream";
import type { TestDaemon } from "./daemon.ts";

/** Name of the image that tests run. */
export const busybox = "busybox:latest";

/** A docker-archive with one layer: a static busybox of this host with its applets as links. */
export async function busyboxArchive(): Promise<Uint8Array> {
  const program = readFileSync(Bun.which("busybox", { PATH: "/bin:/usr/bin" }) ?? missing());
  const applets = Bun.spawnSync(["busybox", "--list"])
    .stdout.toString()
    .split("\n")
    .filter((name) => name !== "" && name !== "busybox");
  const layer = await tar((add) => {
    for (const folder of ["bin", "etc", "root", "tmp", "home", "var"])
      add({ name: `${folder}/`, type: "directory", mode: folder === "tmp" ? 0o1777 : 0o755 });
    add({ name: "bin/busybox", mode: 0o755 }, program);
    for (const applet of applets) add({ name: `bin/${applet}`, type: "symlink", linkname: "busybox" });
    add({ name: "etc/passwd" }, "root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/home:/bin/false\n");
    add({ name: "etc/group" }, "root:x:0:\nnogroup:x:65534:\nextra:x:1234:nobody\n");
  });
  const diffId = `sha256:${new Bun.CryptoHasher("sha256").update(layer).digest("hex")}`;
  const config = JSON.stringify({
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    created: "2026-01-01T00:00:00Z",
    config: { Cmd: ["sh"], Env: ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] },
    rootfs: { type: "layers", diff_ids: [diffId] },
    history: [{ created: "2026-01-01T00:00:00Z", created_by: "test" }],
  });
  const id = new Bun.CryptoHasher("sha256").update(config).digest("hex");
  return tar((add) => {
    add({ name: `${id}.json` }, config);
    add({ name: "layer/layer.tar" }, layer);
    add({ name: "manifest.json" }, JSON.stringify([{ Config: `${id}.json`, RepoTags: [busybox], Layers: ["layer/layer.tar"] }]));
  });
}

/** Loads the test image into a daemon. */
export async function loadBusybox(daemon: Pick<TestDaemon, "socket">): Promise<void> {
  const response = await fetch("http://d/images/load?quiet=1", {
    unix: daemon.socket,
    method: "POST",
    body: await busyboxArchive(),
    headers: { "Content-Type": "application/x-tar" },
  });
  const text = await response.text();
  if (!response.ok || text.includes("errorDetail")) throw new Error(`loading the test image failed: ${text}`);
}

type Header = Parameters<ReturnType<typeof pack>["entry"]>[0];

async function tar(fill: (add: (header: Header, content?: string | Uint8Array) => void) => void): Promise<Uint8Array> {
  const archive = pack();
  const chunks: Uint8Array[] = [];
  const read = (async () => {
    for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  })();
  fill((header, content) => {
    const entry = { mtime: new Date("2026-01-01T00:00:00Z"), ...header };
    if (content === undefined) archive.entry(entry, "");
    else archive.entry(entry, Buffer.from(content));
  });
  archive.finalize();
  await read;
  return Buffer.concat(chunks);
}

function missing(): never {
  throw new Error("busybox is not installed: apt-get install busybox-static");
}
