import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readFileSync, statSync } from "node:fs";
import { sha256 } from "#lib/digest.ts";
import { dockerArchive, image, ociArchive, tar, type Files, type FixtureImage } from "./fixtures.ts";
import { lines, openMachine, type Machine } from "./machine.ts";

/** Files of this size lie on the disk by themselves while an archive is read, and become layers and blobs without a copy. */
const large = (): Files => ({ [`file${Math.random()}`]: randomBytes(1_500_000) });

async function expectWhole(machine: Machine, made: FixtureImage): Promise<void> {
  for (const { diffId, tar: bytes } of made.layers) {
    const stored = await machine.snapshots.layerTar(diffId);
    expect(stored?.sizeBytes).toBe(bytes.length);
    expect(sha256(readFileSync(stored?.path ?? "").subarray(0, bytes.length))).toBe(diffId);
  }
  for (const { chainId } of machine.images.find(made.config.digest).layers)
    await machine.snapshots.verify(chainId as typeof made.config.digest, new AbortController().signal);
}

test.each(["none", "gzip", "zstd"] as const)("large layers (%s) come in beside small ones, in any order", async (compress) => {
  await using machine = await openMachine();
  const made = image([large(), { small: "1" }, large(), { other: "2" }, { "usr/lib/x": randomBytes(1_200_000) }], { compress });
  const archive = ociArchive(made, { "io.containerd.image.name": "docker.io/library/app:1" });
  const told = lines(await machine.load(archive));
  expect(told.filter((line) => line.endsWith("Loading layer"))).toHaveLength(10);
  expect(told.at(-1)).toBe("Loaded image: app:1");
  await expectWhole(machine, made);
  if (compress !== "none")
    for (const { digest, bytes } of made.layers) expect(readFileSync(machine.content.path(digest)).equals(bytes)).toBe(true);
  expect(await machine.leftovers()).toEqual([]);
  // Nothing is read again, and nothing is there twice.
  expect(lines(await machine.load(archive))).toEqual(["Loaded image: app:1"]);
  expect(await machine.leftovers()).toEqual([]);
});

test("a large layer of an archive's several images, on others in each, and twice in one", async () => {
  await using machine = await openMachine();
  const shared = large();
  const [one, two, three] = [image([shared]), image([{ below: "x" }, shared]), image([shared, { between: "y" }, shared])];
  const items = [one, two, three].map((made, index) => {
    const names = made.layers.map(({ diffId }) => `${diffId.slice(7)}.tar`);
    return { made, item: { Config: `${index}.json`, RepoTags: [`app:${index}`], Layers: names } };
  });
  const files: Record<string, Uint8Array> = {};
  for (const { made, item } of items) {
    files[item.Config] = made.config.bytes;
    for (const { diffId, tar: bytes } of made.layers) files[`${diffId.slice(7)}.tar`] = bytes;
  }
  await machine.load(tar({ ...files, "manifest.json": JSON.stringify(items.map(({ item }) => item)) }));
  for (const { made } of items) await expectWhole(machine, made);
  expect(await machine.leftovers()).toEqual([]);
});

test("a large file that is no layer does no harm, and one that should be is told", async () => {
  await using machine = await openMachine();
  const made = image([large()], { compress: "none" });
  await machine.load(dockerArchive(made, ["app:1"], { "sbom.json": "x".repeat(2_000_000) }));
  await expectWhole(machine, made);
  const junk = { ...made, layers: [{ ...made.layers[0]!, tar: Buffer.from("x".repeat(2_000_000)) }] };
  await using other = await openMachine();
  await expect(other.load(dockerArchive(junk, ["app:1"]))).rejects.toMatchObject({
    kind: "invalid",
    message: expect.stringMatching(/^failed to register layer: /),
  });
  const swapped = { ...made, layers: [{ ...made.layers[0]!, tar: tar(large()) }] };
  await expect(other.load(dockerArchive(swapped, ["app:1"]))).rejects.toMatchObject({ kind: "invalid" });
  expect(other.images.list()).toEqual([]);
  expect(await other.leftovers()).toEqual([]);
});

test("a layout on another file system than the layers is copied", async () => {
  await using machine = await openMachine({ contentKilobytes: 8192 });
  const made = image([large()], { compress: "none" });
  await machine.load(dockerArchive(made, ["app:1"]));
  await expectWhole(machine, made);
  expect(statSync(machine.content.temporary).dev).not.toBe(statSync(machine.root).dev);
  expect(await machine.leftovers()).toEqual([]);
});

test("a client that leaves behind a large layer ends what was begun with it", async () => {
  await using machine = await openMachine();
  const archive = dockerArchive(image([large(), large()], { compress: "none" }), ["app:1"]);
  const client = new AbortController();
  async function* body(): AsyncGenerator<Uint8Array> {
    yield archive.subarray(0, 2_000_000);
    client.abort(new Error("client has left"));
    yield archive.subarray(2_000_000);
  }
  await expect(machine.load(body(), { signal: client.signal })).rejects.toThrow("client has left");
  expect(await machine.leftovers()).toEqual([]);
});
