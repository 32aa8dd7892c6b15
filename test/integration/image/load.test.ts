import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFileSync } from "node:fs";
import { sha256 } from "#lib/digest.ts";
import { mediaTypes } from "#types/oci/image.ts";
import { dockerArchive, image, json, ociArchive, tar, type Files } from "./fixtures.ts";
import { lines, openMachine } from "./machine.ts";

const twoLayers = () => image([{ "etc/": "", "etc/one": "1" }, { two: randomBytes(100_000) }], { compress: "none" });
const short = (digest: string): string => digest.slice(7, 19);

test("load of a docker-archive tells what Docker tells, and keeps its layers once", async () => {
  await using machine = await openMachine();
  const made = twoLayers();
  const messages = await machine.load(dockerArchive(made, ["app:1", "example.com:5000/team/app:2"]));
  const told = lines(messages);
  expect(told).toContain(`${short(made.layers[0]!.diffId)}: Loading layer`);
  expect(told.slice(-2)).toEqual(["Loaded image: app:1", "Loaded image: example.com:5000/team/app:2"]);
  const found = machine.images.find("app:1");
  expect(found).toMatchObject({ id: made.config.digest, manifestMediaType: mediaTypes.ociManifest });
  expect(found.layers.map(({ digest }) => digest)).toEqual(made.layers.map(({ diffId }) => diffId));
  // Only the two documents are blobs: a plain layer is the snapshotter's tar.
  const blobs = await Array.fromAsync(machine.content.list(), ({ digest }) => digest as string);
  expect(blobs.sort()).toEqual([found.id, found.manifestDigest].sort());
  const stored = await machine.snapshots.layerTar(made.layers[1]!.diffId);
  expect(sha256(readFileSync(stored!.path).subarray(0, stored!.sizeBytes))).toBe(made.layers[1]!.diffId);
  expect(await machine.leftovers()).toEqual([]);
});

test("the manifest made for an image without one is always the same, and that of docker save", async () => {
  const made = twoLayers();
  const digests: string[] = [];
  for (const _round of [1, 2]) {
    await using machine = await openMachine();
    await machine.load(dockerArchive(made, ["app:1"]));
    digests.push(machine.images.find("app:1").manifestDigest);
  }
  expect(digests).toEqual([made.manifest.digest, made.manifest.digest]);
});

test.each(["plain", "gzip", "zstd"] as const)("a %s archive is loaded quietly", async (kind) => {
  await using machine = await openMachine();
  const plain = dockerArchive(twoLayers(), ["app:1"]);
  const archive = { plain: () => plain, gzip: () => Bun.gzipSync(Uint8Array.from(plain)), zstd: () => Bun.zstdCompressSync(plain) }[kind]();
  expect(lines(await machine.load(archive, { quiet: true }))).toEqual(["Loaded image: app:1"]);
});

test("an image without names is told by its id", async () => {
  await using machine = await openMachine();
  const made = twoLayers();
  expect(lines(await machine.load(dockerArchive(made, null))).at(-1)).toBe(`Loaded image ID: ${made.config.digest}`);
});

test("a name that moves to a loaded image is told, and loading again changes nothing", async () => {
  await using machine = await openMachine();
  const [old, made] = [twoLayers(), twoLayers()];
  await machine.load(dockerArchive(old, ["app:1"]));
  expect(lines(await machine.load(dockerArchive(made, ["app:1"]), { quiet: true }))).toEqual([
    `The image app:1 already exists, renaming the old one with ID ${old.config.digest} to empty string`,
    "Loaded image: app:1",
  ]);
  expect(lines(await machine.load(dockerArchive(made, ["app:1"])))).toEqual(["Loaded image: app:1"]);
  expect(machine.images.list()).toHaveLength(2);
  expect(await machine.leftovers()).toEqual([]);
});

test.each(["gzip", "zstd"] as const)("an OCI layout with %s layers keeps its manifest and its blobs", async (compress) => {
  await using machine = await openMachine();
  const made = image([{ one: "1" }, { two: "2" }], { compress });
  const told = lines(await machine.load(ociArchive(made, { "org.opencontainers.image.ref.name": "foo/oci:1" })));
  expect(told.at(-1)).toBe("Loaded image: foo/oci:1");
  const found = machine.images.find("foo/oci:1");
  expect(found.manifestDigest).toBe(made.manifest.digest);
  for (const { digest, bytes } of made.layers) expect(await machine.content.read(digest, 1 << 20)).toEqual(bytes);
  expect(await machine.leftovers()).toEqual([]);
});

test("both layouts in one archive give the names of the one and the manifest of the other", async () => {
  await using machine = await openMachine();
  const made = image([{ one: "1" }]);
  const blobPath = (digest: string): string => `blobs/sha256/${digest.slice(7)}`;
  const item = { Config: blobPath(made.config.digest), RepoTags: ["named:here"], Layers: [blobPath(made.layers[0]!.digest)] };
  const archive = ociArchive(
    made,
    { "io.containerd.image.name": "docker.io/library/other:1" },
    { "manifest.json": JSON.stringify([item]) },
  );
  expect(lines(await machine.load(archive, { quiet: true }))).toEqual(["Loaded image: named:here"]);
  expect(machine.images.find("named:here").manifestDigest).toBe(made.manifest.digest);
});

test("layers that are links in the archive are followed inside it (A9)", async () => {
  await using machine = await openMachine();
  const made = twoLayers();
  const [first, second] = made.layers;
  const item = { Config: "config.json", RepoTags: ["app:1"], Layers: ["a/layer.tar", "b/layer.tar"] };
  const archive = tar({
    "first.tar": first!.tar,
    "real/second.tar": second!.tar,
    "a/layer.tar": { link: "../first.tar" },
    b: { link: "/c" },
    "c/layer.tar": { hardlink: "real/second.tar" },
    "config.json": made.config.bytes,
    "manifest.json": JSON.stringify([item]),
  });
  expect(lines(await machine.load(archive, { quiet: true }))).toEqual(["Loaded image: app:1"]);
});

test.each(["/etc/passwd", "../../../../etc/passwd", "link", "loop", "missing", ""])(
  "a layer path %p never reaches the host (A9)",
  async (path) => {
    await using machine = await openMachine();
    const made = image([{ file: "x" }], {
      compress: "none",
      config: { rootfs: { type: "layers", diff_ids: [sha256(readFileSync("/etc/passwd"))] } },
    });
    const item = { Config: "config.json", RepoTags: ["app:1"], Layers: [path] };
    const members = { link: { link: "/etc/passwd" }, loop: { link: "loop" }, "config.json": made.config.bytes };
    await expect(machine.load(tar({ ...members, "manifest.json": JSON.stringify([item]) }))).rejects.toMatchObject({
      kind: "invalid",
      message: expect.stringMatching(/is not in it$/),
    });
    expect(machine.images.list()).toEqual([]);
    expect(await machine.leftovers()).toEqual([]);
  },
);

test("layers that are not what the config says give no image (A10)", async () => {
  await using machine = await openMachine();
  const made = twoLayers();
  const swapped = { ...made, layers: [made.layers[0]!, { ...made.layers[1]!, tar: tar({ evil: "x" }) }] };
  await expect(machine.load(dockerArchive(swapped, ["app:1"]))).rejects.toMatchObject({
    kind: "invalid",
    message: expect.stringMatching(/^failed to register layer: /),
  });
  expect(machine.images.list()).toEqual([]);
  expect(await machine.leftovers()).toEqual([]);
});

test("blobs of a layout that are not what their names say give no image (A10)", async () => {
  await using machine = await openMachine();
  const made = image([{ one: "1" }]);
  const other = { ...made.layers[0]!, bytes: Buffer.from(Bun.gzipSync(Uint8Array.from(made.layers[0]!.tar), { level: 1 })) };
  const padded = {
    ...other,
    bytes: Buffer.concat([other.bytes, Buffer.alloc(Math.max(0, made.layers[0]!.bytes.length - other.bytes.length))]),
  };
  await expect(machine.load(ociArchive({ ...made, layers: [padded] }, {}))).rejects.toMatchObject({ kind: "invalid" });
  await expect(machine.load(ociArchive({ ...made, config: { ...made.config, bytes: Buffer.from("{}") } }, {}))).rejects.toThrow(
    "has another digest",
  );
  expect(machine.images.list()).toEqual([]);
  expect(await machine.leftovers()).toEqual([]);
});

const documents: readonly (readonly [string, Files, RegExp])[] = [
  ["nothing", {}, /neither manifest.json nor index.json/],
  ["null", { "manifest.json": "null" }, /manifest cannot be null/],
  ["no JSON", { "manifest.json": "{" }, /^invalid archive: manifest.json/],
  ["no list", { "manifest.json": "{}" }, /it is no list/],
  ["no config", { "manifest.json": '[{"Config":"nope","RepoTags":["a:1"],"Layers":[]}]' }, /"nope" is not in it/],
  ["layers of another type", { "manifest.json": '[{"Config":"c","Layers":{}}]' }, /Layers is no list/],
  [
    "a bad tag",
    { c: '{"os":"linux","rootfs":{"type":"layers"}}', "manifest.json": '[{"Config":"c","RepoTags":["../x:1"],"Layers":[]}]' },
    /invalid reference format/,
  ],
  [
    "a tag without a tag",
    { c: '{"os":"linux","rootfs":{"type":"layers"}}', "manifest.json": '[{"Config":"c","RepoTags":["x"],"Layers":[]}]' },
    /invalid tag "x"/,
  ],
  [
    "a config of Windows",
    { c: '{"os":"windows","rootfs":{"type":"layers"}}', "manifest.json": '[{"Config":"c","Layers":[]}]' },
    /cannot load windows image on linux/,
  ],
  [
    "a config with wrong types",
    { c: '{"os":"linux","config":{"Env":"A=b"},"rootfs":{"type":"layers"}}', "manifest.json": '[{"Config":"c","Layers":[]}]' },
    /Env has the wrong type/,
  ],
  [
    "a count of layers that differs",
    { c: '{"os":"linux","rootfs":{"type":"layers"}}', "manifest.json": '[{"Config":"c","Layers":["x"]}]' },
    /layers length mismatch: expected 1, got 0/,
  ],
  ["a manifest of 5 MiB", { "manifest.json": Buffer.alloc(5 << 20, 32) }, /larger than/],
  [
    "a digest that is a path",
    {
      "index.json":
        '{"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:../../x","size":1}]}',
    },
    /invalid checksum digest format/,
  ],
];

test.each(documents)("an archive with %s is refused (A9)", async (_what, files, message) => {
  await using machine = await openMachine();
  await expect(machine.load(tar(files))).rejects.toThrow(message);
  expect(machine.images.list()).toEqual([]);
  expect(await machine.leftovers()).toEqual([]);
});

test("a member that leaves the archive, a cut archive, junk and unknown compressions are refused (A1, A8)", async () => {
  await using machine = await openMachine();
  const archive = dockerArchive(twoLayers(), ["app:1"]);
  await expect(machine.load(tar({ "../x": "" }))).rejects.toThrow(/^invalid archive: /);
  await expect(machine.load(archive.subarray(0, 50_000))).rejects.toThrow(/^invalid archive: unexpected end/);
  await expect(machine.load(Bun.gzipSync(Uint8Array.from(archive)).subarray(0, 50_000))).rejects.toThrow(/^invalid archive: gzip/);
  await expect(machine.load(Buffer.from("junk\n".repeat(1000)))).rejects.toThrow(/^invalid archive: /);
  await expect(machine.load(Buffer.from("BZh91AY&SY"))).rejects.toThrow(/bzip2/);
  await expect(machine.load(Buffer.alloc(0))).rejects.toThrow(/neither manifest.json nor index.json/);
  expect(await machine.leftovers()).toEqual([]);
});

test("only images for the platform asked for are loaded", async () => {
  await using machine = await openMachine();
  const archive = dockerArchive(image([{ file: "x" }], { compress: "none", architecture: "s390x" }), ["app:1"]);
  await expect(machine.load(archive, { platform: "linux/arm64" })).rejects.toMatchObject({ kind: "not_found" });
  await machine.load(archive, { platform: '{"os":"linux","architecture":"s390x"}' });
  expect(machine.images.list()).toHaveLength(1);
});

test("of several platforms under one name the host's is loaded", async () => {
  await using machine = await openMachine();
  const [host, other] = [image([{ file: "host" }]), image([{ file: "other" }], { architecture: "s390x" })];
  const blobs = [host, other].flatMap((made) => [made.config, made.manifest, ...made.layers]);
  const entry = (made: typeof host, architecture: string) => ({
    mediaType: mediaTypes.ociManifest,
    digest: made.manifest.digest,
    size: made.manifest.bytes.length,
    platform: { os: "linux", architecture },
  });
  const inner = json({
    schemaVersion: 2,
    manifests: [entry(other, "s390x"), entry(host, process.arch === "x64" ? "amd64" : process.arch)],
  });
  const annotations = { "io.containerd.image.name": "docker.io/library/app:1" };
  const outer = {
    schemaVersion: 2,
    manifests: [{ mediaType: mediaTypes.ociIndex, digest: inner.digest, size: inner.bytes.length, annotations }],
  };
  const files = Object.fromEntries([inner, ...blobs].map(({ digest, bytes }) => [`blobs/sha256/${digest.slice(7)}`, bytes]));
  expect(lines(await machine.load(tar({ ...files, "index.json": JSON.stringify(outer) }), { quiet: true }))).toEqual([
    "Loaded image: app:1",
  ]);
  expect(machine.images.find("app:1").id).toBe(host.config.digest);
});

test("a full disk ends the load with Docker's words, and gives its space back (G1)", async () => {
  await using machine = await openMachine({ contentKilobytes: 256 });
  const archive = dockerArchive(image([{ file: randomBytes(600_000) }], { compress: "none" }), ["app:1"]);
  await expect(machine.load(archive)).rejects.toMatchObject({ kind: "unavailable", message: "no space left on device" });
  expect(await machine.leftovers()).toEqual([]);
  await machine.load(dockerArchive(image([{ file: "small" }], { compress: "none" }), ["app:1"]));
});

test("a client that leaves in the middle of its archive leaves nothing behind", async () => {
  await using machine = await openMachine();
  const client = new AbortController();
  const archive = dockerArchive(twoLayers(), ["app:1"]);
  async function* body(): AsyncGenerator<Uint8Array> {
    yield archive.subarray(0, 5000);
    client.abort(new Error("client has left"));
    yield archive.subarray(5000, 6000);
  }
  await expect(machine.load(body(), { signal: client.signal })).rejects.toThrow("client has left");
  async function* broken(): AsyncGenerator<Uint8Array> {
    yield Bun.gzipSync(Uint8Array.from(archive)).subarray(0, 5000);
    throw new Error("connection reset");
  }
  await expect(machine.load(broken())).rejects.toThrow(/^connection reset$/);
  expect(await machine.leftovers()).toEqual([]);
});
