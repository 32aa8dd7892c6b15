import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { until } from "../../support/until.ts";
import { mediaTypes, type Manifest } from "#types/oci/image.ts";
import { dockerArchive, image, ociArchive, type FixtureImage } from "./fixtures.ts";
import { lines, openMachine, type Machine } from "./machine.ts";
import { refuse, TestRegistry } from "./registry.ts";

const short = (digest: string): string => digest.slice(7, 19);
const credentials = (fields: object): string => Buffer.from(JSON.stringify(fields)).toString("base64url");
const twoLayers = (): FixtureImage => image([{ "etc/": "", "etc/one": "1" }, { two: randomBytes(300_000) }]);

/** A machine that has an image under a name of its registry, with the manifest it was made with. */
async function holding(machine: Machine, made: FixtureImage, name: string): Promise<string> {
  await machine.load(ociArchive(made, { "org.opencontainers.image.ref.name": name, "io.containerd.image.name": name }));
  return name;
}

test("push tells what Docker tells, in its order; blobs and manifest arrive byte for byte (IMG-29)", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const made = twoLayers();
  const name = await holding(machine, made, `${registry.host}/team/app:1`);
  const messages = await machine.push(name);
  const [first = "", second = ""] = made.layers.map(({ diffId }) => short(diffId));
  const told = lines(messages);
  expect(told.slice(0, 3)).toEqual([
    `The push refers to repository [${registry.host}/team/app]`,
    `${second}: Preparing`,
    `${first}: Preparing`,
  ]);
  expect(told.slice(3, -1).sort()).toEqual([`${first}: Pushed`, `${second}: Pushed`].sort());
  expect(told.at(-1)).toBe(`1: digest: ${made.manifest.digest} size: ${made.manifest.bytes.length}`);
  expect(messages.at(-1)).toEqual({
    progressDetail: {},
    aux: { Tag: "1", Digest: made.manifest.digest, Size: made.manifest.bytes.length },
  });
  expect(registry.manifest("team/app", "1")?.bytes).toEqual(made.manifest.bytes);
  for (const { digest, bytes } of [made.config, ...made.layers]) expect(registry.blob(digest)).toEqual(bytes);
  expect(registry.uploads.openCount).toBe(0);
  expect(machine.images.references(made.config.digest).map(({ reference }) => reference)).toContain(
    `${registry.host}/team/app@${made.manifest.digest}`,
  );
  expect(await machine.leftovers()).toEqual([]);
});

test("what the registry has is not sent again", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const made = twoLayers();
  const name = await holding(machine, made, `${registry.host}/team/app:1`);
  await machine.push(name);
  const before = registry.requests.length;
  const told = lines(await machine.push(name));
  for (const { diffId } of made.layers) expect(told).toContain(`${short(diffId)}: Layer already exists`);
  const methods = registry.requests.slice(before).map(({ method }) => method);
  expect(methods.filter((method) => method === "POST" || method === "PATCH")).toEqual([]);
  expect(methods.filter((method) => method === "PUT")).toHaveLength(1); // the manifest
});

test("a layer of which only the tar is kept is compressed once; what was pushed is the image's manifest from then on", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const made = image([{ one: "x".repeat(100_000) }, { two: randomBytes(50_000) }]);
  const name = `${registry.host}/a:1`;
  await machine.load(dockerArchive(made, [name]));
  await machine.push(name);
  const pushed = registry.manifest("a", "1");
  const manifest = JSON.parse(pushed?.bytes.toString() ?? "") as Manifest;
  expect(manifest.layers.map(({ mediaType }) => mediaType)).toEqual([mediaTypes.ociLayerGzip, mediaTypes.ociLayerGzip]);
  for (const [index, { digest, size }] of manifest.layers.entries()) {
    const bytes = registry.blob(digest);
    expect(bytes?.length).toBe(size);
    expect(gunzipSync(bytes ?? "").equals(made.layers[index]!.tar)).toBe(true);
  }
  expect(machine.images.find(name)).toMatchObject({
    manifestDigest: pushed?.digest,
    layers: manifest.layers.map(({ digest, size }) => ({ digest, compressedBytes: size })),
  });
  const other = `${registry.host}/b:1`;
  await machine.images.tag(name, `${registry.host}/b`, "1");
  registry.uploads.refusesMounts = true;
  await machine.push(other);
  expect(registry.manifest("b", "1")?.digest).toBe(pushed?.digest);
  expect(await machine.leftovers()).toEqual([]);
  // Ourselves, elsewhere.
  await using elsewhere = await openMachine();
  await elsewhere.pull(other);
  expect(elsewhere.images.find(other).id).toBe(made.config.digest);
});

test("an image that was loaded, then pulled, is pushed with the digests that it has in its registry", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const made = image([{ one: "1" }, { two: randomBytes(30_000) }], { compress: "zstd" });
  await machine.load(dockerArchive(made, ["loaded:1"]));
  const name = registry.put("a", "1", made);
  await machine.pull(name);
  expect(machine.images.list()).toHaveLength(1);
  expect(machine.images.find("loaded:1").manifestDigest).toBe(made.manifest.digest);
  expect(await machine.leftovers()).toEqual([]);
  for (const repository of ["a", "b"]) {
    await machine.images.tag(name, `${registry.host}/${repository}`, "2");
    await machine.push(`${registry.host}/${repository}:2`);
    expect(registry.manifest(repository, "2")?.digest).toBe(made.manifest.digest);
  }
  await machine.load(dockerArchive(made, ["loaded:2"]));
  expect(machine.images.find("loaded:2").manifestDigest).toBe(made.manifest.digest);
  expect(await machine.leftovers()).toEqual([]);
  // A registry that has none of it is sent layers compressed here.
  await using other = await TestRegistry.start();
  await machine.images.tag(name, `${other.host}/a`, "1");
  await machine.push(`${other.host}/a:1`);
  expect(other.manifest("a", "1")?.digest).not.toBe(made.manifest.digest);
  expect(machine.images.find(name).manifestDigest).toBe(other.manifest("a", "1")?.digest ?? "");
  await using elsewhere = await openMachine();
  await elsewhere.pull(`${other.host}/a:1`);
  expect(elsewhere.images.find(`${other.host}/a:1`).id).toBe(made.config.digest);
});

test("a blob of another repository of the registry is mounted", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const made = twoLayers();
  await machine.pull(registry.put("base", "1", made));
  await machine.images.tag(`${registry.host}/base:1`, `${registry.host}/team/app`, "1");
  const told = lines(await machine.push(`${registry.host}/team/app:1`));
  for (const { diffId } of made.layers) expect(told).toContain(`${short(diffId)}: Mounted from base`);
  expect(registry.manifest("team/app", "1")?.digest).toBe(made.manifest.digest);
  const sent = registry.requests.filter(({ method }) => method === "PUT" || method === "PATCH").map(({ path }) => path);
  expect(sent.filter((path) => made.layers.some(({ digest }) => path.includes(encodeURIComponent(digest))))).toEqual([]);
});

test("where a mount is refused, the blob is sent in the upload that was begun for it", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const made = image([{ one: randomBytes(1000) }]);
  await machine.pull(registry.put("base", "1", made));
  await machine.images.tag(`${registry.host}/base:1`, `${registry.host}/app`, "1");
  registry.uploads.refusesMounts = true;
  const told = lines(await machine.push(`${registry.host}/app:1`));
  expect(told).toContain(`${short(made.layers[0]!.diffId)}: Pushed`);
  const begun = registry.requests.filter(({ method, path }) => method === "POST" && path.startsWith("/v2/app/"));
  expect(begun.map(({ path }) => path.includes("mount="))).toEqual([true, false]); // layer, config
  expect(registry.uploads.openCount).toBe(0);
});

test("an upload that breaks off goes on where the registry says it stopped", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const made = image([{ one: randomBytes(3_000_000) }]);
  const name = await holding(machine, made, `${registry.host}/a:1`);
  registry.uploads.breaksAfterBytes = 1_000_000;
  const told = lines(await machine.push(name));
  expect(told).toContain(`${short(made.layers[0]!.diffId)}: Retrying in 1 second`);
  expect(registry.blob(made.layers[0]!.digest)).toEqual(made.layers[0]!.bytes);
  const rest = registry.requests.find(({ method }) => method === "PATCH");
  expect(rest?.contentLength).toBe(String(made.layers[0]!.bytes.length - 1_000_000));
  expect(registry.uploads.openCount).toBe(0);
});

test("an upload that the registry knows no more begins anew", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const made = image([{ one: randomBytes(300_000) }]);
  const name = await holding(machine, made, `${registry.host}/a:1`);
  let lost = false;
  registry.lie = (request, response) => {
    if (request.method !== "PUT" || lost || !(request.url ?? "").includes("/uploads/")) return false;
    lost = true;
    request.resume();
    request.on("end", () => refuse(response, 404, "BLOB_UPLOAD_UNKNOWN", "gone"));
    return true;
  };
  await machine.push(name);
  expect(registry.blob(made.layers[0]!.digest)).toEqual(made.layers[0]!.bytes);
});

test.each([429, 503])(
  "uploads and manifests are tried again after a %p (B8)",
  async (status) => {
    await using machine = await openMachine();
    await using registry = await TestRegistry.start();
    const name = await holding(machine, twoLayers(), `${registry.host}/a:1`);
    const refused = new Set<string>();
    registry.lie = (request, response) => {
      const key = `${request.method} ${(request.url ?? "").replace(/\?.*/, "")}`;
      if (request.method === "HEAD" || request.method === "GET" || refused.has(key)) return false;
      refused.add(key);
      request.resume();
      request.on("end", () => refuse(response, status, "TOOMANYREQUESTS", "later"));
      return true;
    };
    await machine.push(name);
    expect(registry.manifest("a", "1")).toBeDefined();
  },
  30_000,
);

test("all tags of a repository are pushed, each layer once", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const base = { base: randomBytes(1000) };
  const [one, two] = [image([base, { one: "1" }]), image([base, { two: "2" }])];
  await holding(machine, one, `${registry.host}/a:one`);
  await holding(machine, two, `${registry.host}/a:two`);
  const messages = await machine.push(`${registry.host}/a`);
  expect(messages.flatMap(({ aux }) => aux?.Tag ?? [])).toEqual(["one", "two"]);
  expect(lines(messages)).toContain(`${short(one.layers[0]!.diffId)}: Layer already exists`);
  for (const [tag, made] of [
    ["one", one],
    ["two", two],
  ] as const)
    expect(registry.manifest("a", tag)?.digest).toBe(made.manifest.digest);
});

test.each<[string, (host: string) => string, RegExp]>([
  ["a repository of which nothing is here", (host) => `${host}/nothing:1`, /^An image does not exist locally with the tag: .*\/nothing$/],
  ["a tag that is not here", (host) => `${host}/a:2`, /^tag does not exist: .*\/a:2$/],
  ["a digest", (host) => `${host}/a@sha256:${"a".repeat(64)}`, /^cannot push a digest reference$/],
])("%s is refused with Docker's words", async (_what, nameAt, message) => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  await holding(machine, twoLayers(), `${registry.host}/a:1`);
  await expect(machine.push(nameAt(registry.host))).rejects.toThrow(message);
  expect(registry.requests.filter(({ method }) => method !== "GET")).toEqual([]);
});

test("layers that only their owner may hand out are left out, their place in the manifest stays (B11)", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const plain = image([{ one: randomBytes(1000) }, { two: "2" }]);
  const foreign = { mediaType: mediaTypes.dockerForeignLayer, urls: ["https://elsewhere.example/layer"] };
  const layers = plain.layers.map(({ digest, bytes }, index) => ({
    ...(index === 0 ? foreign : { mediaType: mediaTypes.dockerLayerGzip }),
    digest,
    size: bytes.length,
  }));
  const made = image([{ one: "unused" }], {
    manifest: { layers, config: { mediaType: mediaTypes.ociConfig, digest: plain.config.digest, size: plain.config.bytes.length } },
  });
  registry.put("windows", "1", plain);
  for (const reference of ["1", made.manifest.digest])
    registry.putManifest("windows", reference, made.manifest.bytes, mediaTypes.ociManifest);
  await machine.pull(`${registry.host}/windows:1`);
  await using other = await TestRegistry.start();
  await machine.images.tag(`${registry.host}/windows:1`, `${other.host}/windows`, "1");
  const told = lines(await machine.push(`${other.host}/windows:1`));
  expect(told).toContain(`${short(plain.layers[0]!.diffId)}: Skipped foreign layer`);
  expect(other.blob(plain.layers[0]!.digest)).toBeUndefined();
  expect(other.manifest("windows", "1")?.bytes).toEqual(made.manifest.bytes);
});

test("a token for pushing is asked for, and one for the other repository with a mount", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const made = image([{ one: randomBytes(1000) }]);
  await machine.pull(registry.put("base", "1", made));
  await machine.images.tag(`${registry.host}/base:1`, `${registry.host}/app`, "1");
  registry.lie = ({ url = "", headers }, response) => {
    if (url.startsWith("/token")) {
      const scopes = new URL(url, "http://registry").searchParams.getAll("scope").sort().join(" ");
      response.end(JSON.stringify({ token: Buffer.from(scopes).toString("base64url") }));
      return true;
    }
    const granted = Buffer.from(headers.authorization?.split(" ")[1] ?? "", "base64url").toString();
    if (granted.includes("repository:app:pull,push") && (!url.includes("from=base") || granted.includes("repository:base:pull")))
      return false;
    const challenge = `Bearer realm="http://${registry.host}/token",service="test"`;
    refuse(response, 401, "UNAUTHORIZED", "authentication required", { "www-authenticate": challenge });
    return true;
  };
  const told = lines(await machine.push(`${registry.host}/app:1`, { auth: credentials({ username: "me", password: "secret" }) }));
  expect(told).toContain(`${short(made.layers[0]!.diffId)}: Mounted from base`);
});

test("an upload that is sent to another registry gets no credentials (B6)", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  await using elsewhere = await TestRegistry.start();
  const name = await holding(machine, image([{ one: randomBytes(1000) }]), `${registry.host}/a:1`);
  registry.uploads.locationOrigin = `http://${elsewhere.host}`;
  registry.lie = ({ headers }, response) => {
    if (headers.authorization) return false;
    refuse(response, 401, "UNAUTHORIZED", "who?", { "www-authenticate": 'Basic realm="test"' });
    return true;
  };
  await machine.push(name, { auth: credentials({ username: "me", password: "secret" }) }).catch(() => undefined);
  expect(registry.requests.filter(({ authorization }) => authorization !== undefined).length).toBeGreaterThan(0);
  expect(elsewhere.requests.length).toBeGreaterThan(0);
  expect(elsewhere.requests.filter(({ authorization }) => authorization !== undefined)).toEqual([]);
}, 60_000);

test("a push that is given up takes its upload back and leaves nothing (B9)", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const made = image([{ one: randomBytes(2_000_000) }]);
  const name = `${registry.host}/a:1`;
  await machine.load(dockerArchive(made, [name]));
  const begun = Promise.withResolvers<void>();
  registry.lie = (request, _response) => {
    if (request.method !== "PUT") return false;
    begun.resolve(); // and never answers, never reads
    return true;
  };
  const client = new AbortController();
  const pushing = machine.push(name, { signal: client.signal });
  pushing.catch(() => undefined);
  await begun.promise;
  client.abort(new Error("left"));
  await expect(pushing).rejects.toThrow("left");
  await until(() => registry.uploads.openCount === 0, 5000);
  expect(readdirSync(machine.content.temporary)).toEqual([]);
  expect(await machine.leftovers()).toEqual([]);
}, 20_000);

test("a damaged layer is not pushed under a good name", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const made = image([{ one: randomBytes(10_000) }]);
  const name = `${registry.host}/a:1`;
  await machine.load(dockerArchive(made, [name]));
  const tar = await machine.snapshots.layerTar(made.layers[0]!.diffId);
  writeFileSync(tar?.path ?? "", Buffer.alloc(tar?.sizeBytes ?? 0, 7));
  await expect(machine.push(name)).rejects.toThrow(/is damaged/);
  expect(registry.manifest("a", "1")).toBeUndefined();
});

test("a disk that is full while a layer is compressed is told, and nothing stays", async () => {
  await using machine = await openMachine({ contentKilobytes: 128 });
  await using registry = await TestRegistry.start();
  const name = `${registry.host}/a:1`;
  // Where a load has its place as well: the tar is kept elsewhere.
  await machine.load(dockerArchive(image([{ one: randomBytes(40_000) }]), [name]));
  const filler = join(machine.content.temporary, "filler");
  writeFileSync(filler, Buffer.alloc(100_000));
  await expect(machine.push(name)).rejects.toMatchObject({ kind: "unavailable", message: "no space left on device" });
  rmSync(filler);
  expect(await machine.leftovers()).toEqual([]);
  await machine.push(name);
});

test("pushes of one image at the same time compress each layer once", async () => {
  await using machine = await openMachine();
  await using one = await TestRegistry.start();
  await using two = await TestRegistry.start();
  const made = image([{ one: randomBytes(3_000_000) }]);
  const names = [one, two].map(({ host }) => `${host}/a:1`);
  await machine.load(dockerArchive(made, names));
  await Promise.all(names.map((name) => machine.push(name)));
  expect(one.manifest("a", "1")?.digest).toBe(machine.images.find(names[0] ?? "").manifestDigest);
  expect(two.manifest("a", "1")?.digest).toBe(one.manifest("a", "1")?.digest ?? "");
  const blobs: string[] = [];
  for await (const { digest } of machine.content.list()) blobs.push(digest);
  expect(blobs).toHaveLength(3); // config, manifest, layer
  expect(await machine.leftovers()).toEqual([]);
});

test("an image that is removed while it is pushed is pushed to its end, and then gone with all that was made for it", async () => {
  await using machine = await openMachine();
  await using registry = await TestRegistry.start();
  const name = `${registry.host}/a:1`;
  await machine.load(dockerArchive(image([{ one: randomBytes(100_000) }]), [name]));
  registry.lie = async ({ method }) => {
    if (method === "PUT" && machine.images.list().length > 0) await machine.images.remove(name, { force: true, prune: true }, () => []);
    return false;
  };
  await machine.push(name);
  expect(registry.manifest("a", "1")).toBeDefined();
  expect(machine.images.list()).toEqual([]);
  const blobs: string[] = [];
  for await (const { digest } of machine.content.list()) blobs.push(digest);
  expect(blobs).toEqual([]);
  expect(await machine.leftovers()).toEqual([]);
});
