import { expect, test } from "bun:test";
import { fetchReferrers } from "#engine/image/referrers/fetch.ts";
import { listReferrers, type ReferrersRequest } from "#engine/image/referrers/list.ts";
import { saveImages } from "#engine/image/save/save.ts";
import { mediaTypes, type ImageIndex } from "#types/oci/image.ts";
import { artifact, putArtifact, withArtifacts, type FixtureArtifact } from "./artifacts.ts";
import { dockerArchive, image, json, type FixtureImage } from "./fixtures.ts";
import { lines, openMachine, type Machine } from "./machine.ts";
import { TestRegistry } from "./registry.ts";

const never = new AbortController().signal;
const spdx = "application/spdx+json";
const signature = "application/vnd.dev.cosign.artifact.sig.v1+json";

const list = (machine: Machine, name: string, options: Partial<ReferrersRequest> = {}) =>
  listReferrers(machine.deps, { image: name, ...options }, never);
const fetchAll = (machine: Machine, name: string) => fetchReferrers(machine.deps, { image: name }, () => {}, never);

async function shown(machine: Machine, name: string, options: Partial<ReferrersRequest> = {}): Promise<string[]> {
  const found = await list(machine, name, options);
  return found.map(({ descriptor, isHere, isInRegistry }) =>
    [descriptor.artifactType, isHere ? "here" : "", isInRegistry ? "registry" : ""].filter(Boolean).join(" "),
  );
}

/** A registry with an image and three artifacts that refer to it. */
async function referredTo(
  keepsReferrers: boolean,
): Promise<{ registry: TestRegistry; name: string; made: FixtureImage; artifacts: FixtureArtifact[] }> {
  const registry = await TestRegistry.start();
  registry.keepsReferrers = keepsReferrers;
  const made = image([{ one: "1" }]);
  const name = registry.put("team/app", "1", made);
  const artifacts = [
    artifact(made.manifest, spdx, '{"spdxVersion":"SPDX-2.3"}'),
    artifact(made.manifest, signature, "signed"),
    artifact(made.manifest, "application/example", "x".repeat(100_000)),
  ];
  for (const one of artifacts) putArtifact(registry, "team/app", one);
  if (!keepsReferrers) putFallback(registry, made, artifacts);
  return { registry, name, made, artifacts };
}

const fallbackOf = ({ manifest }: FixtureImage): string => manifest.digest.replace(":", "-");

function putFallback(registry: TestRegistry, made: FixtureImage, artifacts: readonly FixtureArtifact[], extra: object = {}): void {
  const index = json({
    schemaVersion: 2,
    mediaType: mediaTypes.ociIndex,
    manifests: artifacts.map(({ descriptor }) => descriptor),
    ...extra,
  });
  registry.putManifest("team/app", fallbackOf(made), index.bytes, mediaTypes.ociIndex);
}

test.each([
  ["by the registry's list, page by page", true],
  ["by the tag that stands in for it", false],
] as const)("what refers to an image is listed %s, and fetched with its content (REG-32)", async (_how, keepsReferrers) => {
  const { registry, name, artifacts } = await referredTo(keepsReferrers);
  await using _registry = registry;
  await using machine = await openMachine();
  expect(await shown(machine, name)).toEqual([`${spdx} registry`, `${signature} registry`, "application/example registry"]); // not here at all
  await machine.pull(name);
  expect(await shown(machine, name, { artifactType: spdx })).toEqual([`${spdx} registry`]);
  expect(await shown(machine, name, { isLocal: true })).toEqual([]);
  await fetchAll(machine, name);
  expect(await shown(machine, name)).toEqual([`${spdx} here registry`, `${signature} here registry`, "application/example here registry"]);
  for (const { manifest, blobs } of artifacts)
    for (const { digest, bytes } of [manifest, ...blobs]) expect(bytes.equals(await machine.content.read(digest, 1 << 20))).toBe(true);
  const asked = registry.count("/blobs/");
  await fetchAll(machine, name);
  expect(registry.count("/blobs/")).toBe(asked);
  expect(await machine.leftovers()).toEqual([]);
});

test("artifacts live and die with their image (REG-32)", async () => {
  const { registry, name } = await referredTo(true);
  await using _registry = registry;
  await using machine = await openMachine();
  await machine.pull(name);
  await fetchAll(machine, name);
  await machine.images.collectGarbage();
  expect(await shown(machine, name, { isLocal: true })).toHaveLength(3);
  await machine.images.remove(name, { force: false, prune: true }, () => []);
  for await (const { digest } of machine.content.list()) throw new Error(`${digest} is still there`);
});

test("an artifact whose content is another than its name is not kept, and nothing of the others either", async () => {
  const { registry, name, artifacts } = await referredTo(true);
  await using _registry = registry;
  await using machine = await openMachine();
  await machine.pull(name);
  const [, , last] = artifacts;
  registry.lie = (request, response) => {
    if (!request.url?.endsWith(last?.blobs[1]?.digest ?? "none")) return false;
    response.writeHead(200).end("y".repeat(100_000));
    return true;
  };
  await expect(fetchAll(machine, name)).rejects.toThrow(/digest/);
  expect(await shown(machine, name, { isLocal: true })).toEqual([]);
  expect(await machine.leftovers()).toEqual([]);
});

test.each([true, false])("artifacts are pushed after their image; a registry that keeps lists: %p (REG-32)", async (keepsReferrers) => {
  const { registry, name, made, artifacts } = await referredTo(true);
  await using _registry = registry;
  await using machine = await openMachine();
  await machine.pull(name);
  await fetchAll(machine, name);
  await using target = await TestRegistry.start();
  target.keepsReferrers = keepsReferrers;
  const copy = `${target.host}/team/app:1`;
  await machine.images.tag(name, `${target.host}/team/app`, "1");
  const other = artifact(made.manifest, "application/of-somebody-else", "other");
  if (!keepsReferrers) putFallback(target, made, [other], { annotations: { kept: "yes" } });
  const told = lines(await machine.push(copy));
  expect(told.slice(-4, -1).map((line) => line.replace(/^\w+: /, ""))).toEqual(
    [spdx, signature, "application/example"].map((type) => `Pushed referrer ${type}`),
  );
  for (const { manifest } of artifacts) expect(target.manifest("team/app", manifest.digest)?.bytes).toEqual(manifest.bytes);
  const puts = target.requests.filter(({ method, path }) => method === "PUT" && path.includes("/manifests/")).map(({ path }) => path);
  expect(puts[0]).toEndWith("/manifests/1");
  if (keepsReferrers) {
    expect(target.manifest("team/app", fallbackOf(made))).toBeUndefined();
  } else {
    const index = JSON.parse(target.manifest("team/app", fallbackOf(made))?.bytes.toString() ?? "{}") as ImageIndex;
    expect(index.manifests.map(({ artifactType }) => artifactType)).toEqual([
      "application/of-somebody-else",
      spdx,
      signature,
      "application/example",
    ]);
    expect(index.annotations).toEqual({ kept: "yes" });
  }
  await using elsewhere = await openMachine();
  await elsewhere.pull(copy);
  expect(await shown(elsewhere, copy)).toEqual(
    [...(keepsReferrers ? [] : ["application/of-somebody-else"]), spdx, signature, "application/example"].map((type) => `${type} registry`),
  );
  expect(await machine.leftovers()).toEqual([]);
});

test("two that push at the same time lose nothing of each other on the tag that lists referrers", async () => {
  const made = image([{ one: "1" }]);
  await using registry = await TestRegistry.start();
  const name = registry.put("team/app", "1", made);
  const [mine, theirs] = [artifact(made.manifest, "application/mine", "mine"), artifact(made.manifest, "application/theirs", "theirs")];
  await using machine = await openMachine();
  await machine.load(withArtifacts(made, name, [mine]));
  let meets = 1;
  registry.lie = (request) => {
    // Another client that has read the list before us writes it after us.
    if (
      request.method === "GET" &&
      request.url?.endsWith(fallbackOf(made)) &&
      registry.manifest("team/app", fallbackOf(made)) &&
      meets-- > 0
    )
      putFallback(registry, made, [theirs]);
    return false;
  };
  await machine.push(name);
  const index = JSON.parse(registry.manifest("team/app", fallbackOf(made))?.bytes.toString() ?? "{}") as ImageIndex;
  expect(index.manifests.map(({ artifactType }) => artifactType).sort()).toEqual(["application/mine", "application/theirs"]);
});

async function saved(machine: Machine, name: string): Promise<Uint8Array> {
  const { body } = await saveImages(machine.deps, { names: [name], platforms: [] }, never);
  const pieces: Uint8Array[] = [];
  for await (const piece of body) pieces.push(piece);
  return Buffer.concat(pieces);
}

test("save and load carry the artifacts of an image, byte for byte (REG-32)", async () => {
  const made = image([{ one: "1" }]);
  const artifacts = [artifact(made.manifest, spdx, "{}{}"), artifact(made.manifest, signature, "signed")];
  await using machine = await openMachine();
  await machine.load(withArtifacts(made, "app:1", artifacts));
  expect(await shown(machine, "app:1")).toEqual([`${spdx} here`, `${signature} here`]);
  await using elsewhere = await openMachine();
  await elsewhere.load(await saved(machine, "app:1"));
  expect(elsewhere.images.find("app:1").referrers).toEqual(machine.images.find("app:1").referrers);
  for (const { manifest } of artifacts) expect(manifest.bytes.equals(await elsewhere.content.read(manifest.digest, 1 << 20))).toBe(true);
  expect(await machine.leftovers()).toEqual([]);
  expect(await elsewhere.leftovers()).toEqual([]);
});

test("a bill of materials follows its image to the manifest of a push that compresses layers; a signature does not", async () => {
  await using registry = await TestRegistry.start();
  registry.keepsReferrers = true;
  const name = `${registry.host}/team/app:1`;
  const made = image([{ one: "1".repeat(10_000) }], { compress: "none" });
  const artifacts = [artifact(made.manifest, spdx, '{"spdxVersion":"SPDX-2.3"}'), artifact(made.manifest, signature, "signed")];
  await using machine = await openMachine();
  await machine.load(withArtifacts(made, name, artifacts));
  const told = lines(await machine.push(name));
  const { manifestDigest, referrers = [] } = machine.images.find(name);
  expect(manifestDigest).not.toBe(made.manifest.digest);
  expect(told.some((line) => line.endsWith(`Not pushed: ${signature} is about another manifest`))).toBe(true);
  expect(referrers.map(({ subject }) => subject)).toEqual([manifestDigest, made.manifest.digest]);
  expect(await shown(machine, name, { artifactType: spdx })).toEqual([`${spdx} here registry`]);
  expect(registry.blob(artifacts[0]?.blobs[1]?.digest ?? "")).toBeDefined();
  expect(await machine.leftovers()).toEqual([]);
});

test("an archive without artifacts, and a plain docker-archive, load as before", async () => {
  await using machine = await openMachine();
  const made = image([{ one: "1" }]);
  await machine.load(dockerArchive(made, ["plain:1"]));
  expect(machine.images.find("plain:1").referrers).toBeUndefined();
});

test("what refers to the index of a name is found as well, and stays here when one of its images is pushed elsewhere", async () => {
  await using registry = await TestRegistry.start();
  registry.keepsReferrers = true;
  const made = image([{ one: "1" }]);
  registry.put("team/app", "unused", made);
  const platform = { os: "linux", architecture: process.arch === "x64" ? "amd64" : process.arch };
  const entry = { mediaType: mediaTypes.ociManifest, digest: made.manifest.digest, size: made.manifest.bytes.length, platform };
  const index = json({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [entry] });
  for (const reference of ["1", index.digest]) registry.putManifest("team/app", reference, index.bytes, mediaTypes.ociIndex);
  putArtifact(registry, "team/app", artifact(index, signature, "signed"));
  putArtifact(registry, "team/app", artifact(made.manifest, spdx, "{}{}"));
  const name = `${registry.host}/team/app:1`;
  await using machine = await openMachine();
  await machine.pull(name);
  await fetchAll(machine, name);
  expect(await shown(machine, name)).toEqual([`${spdx} here registry`, `${signature} here registry`]);
  await machine.images.tag(name, `${registry.host}/copy`, "1");
  const told = lines(await machine.push(`${registry.host}/copy:1`));
  expect(told.filter((line) => /referrer|Not pushed/.test(line)).map((line) => line.replace(/^\w+: /, ""))).toEqual([
    `Pushed referrer ${spdx}`,
    `Not pushed: ${signature} is about another manifest`,
  ]);
  expect(await shown(machine, name, { isLocal: true })).toHaveLength(2);
  expect(await machine.leftovers()).toEqual([]);
});

test("a registry whose list of referrers never ends is left", async () => {
  const { registry, name } = await referredTo(true);
  await using _registry = registry;
  await using machine = await openMachine();
  await machine.pull(name);
  let page = 0;
  registry.lie = (request, response) => {
    if (!request.url?.includes("/referrers/")) return false;
    const link = `<${new URL(request.url, "http://registry").pathname}?page=${++page}>; rel="next"`;
    response.writeHead(200, { "content-type": mediaTypes.ociIndex, link });
    response.end(JSON.stringify({ schemaVersion: 2, mediaType: mediaTypes.ociIndex, manifests: [] }));
    return true;
  };
  await expect(list(machine, name)).rejects.toThrow("referrers");
  expect(page).toBeLessThan(1100);
}, 30_000);

test("a tag that is no list of referrers is not written over", async () => {
  const made = image([{ one: "1" }]);
  await using registry = await TestRegistry.start();
  const name = registry.put("team/app", "1", made);
  registry.putManifest("team/app", fallbackOf(made), made.manifest.bytes, mediaTypes.ociManifest);
  await using machine = await openMachine();
  await machine.load(withArtifacts(made, name, [artifact(made.manifest, spdx, "{}{}")]));
  await expect(machine.push(name)).rejects.toThrow("the registry's list of referrers is no image index");
  expect(registry.manifest("team/app", fallbackOf(made))?.bytes).toEqual(made.manifest.bytes);
  expect(await machine.leftovers()).toEqual([]);
});
