import { expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { rmSync } from "node:fs";
import { saveImages, type SaveRequest } from "#engine/image/save/save.ts";
import { readAll } from "#lib/tar/fixtures.ts";
import { dockerArchive, image, ociArchive } from "./fixtures.ts";
import { openMachine, type Machine } from "./machine.ts";

const never = new AbortController().signal;
const twoLayers = (compress: "none" | "gzip" = "none") =>
  image([{ "etc/": "", "etc/one": "1" }, { two: randomBytes(100_000) }], { compress });

async function save({ deps }: Machine, names: readonly string[], options: Partial<SaveRequest> = {}): Promise<Buffer> {
  const { sizeBytes, body } = await saveImages(deps, { platforms: [], ...options, names }, never);
  const archive = Buffer.concat(await Array.fromAsync(body));
  expect(archive.length).toBe(sizeBytes);
  return archive;
}

const members = (archive: Buffer) => new Map(readAll(archive).map(({ entry, content }) => [entry.path, content]));
const document = (archive: Buffer, name: string) => JSON.parse(members(archive).get(name)!.toString());

test.each(["none", "gzip"] as const)(
  "IMG-37: what is saved with layers in %s is loaded with the same digests, and saved the same",
  async (compress) => {
    const made = twoLayers(compress);
    await using first = await openMachine();
    await first.load(
      compress === "none" ? dockerArchive(made, ["app:1"]) : ociArchive(made, { "io.containerd.image.name": "docker.io/library/app:1" }),
    );
    const archive = await save(first, ["app:1"]);
    await using second = await openMachine();
    await second.load(archive);
    const [before, after] = [first.images.find("app:1"), second.images.find("app:1")];
    expect(after).toEqual({ ...before, lastTaggedNano: after.lastTaggedNano! });
    expect(before.manifestDigest).toBe(made.manifest.digest);
    expect((await save(second, ["app:1"])).equals(archive)).toBe(true);
    expect(await first.leftovers()).toEqual([]);
    expect(await second.leftovers()).toEqual([]);
  },
);

test("several images share their layers, and each has the names that were asked for", async () => {
  await using machine = await openMachine();
  const made = twoLayers();
  const other = image([{ "etc/": "", "etc/one": "1" }, { three: "3" }], { compress: "none" });
  await machine.load(dockerArchive(made, ["app:1", "app:2", "localhost:5000/team/app:3"]));
  await machine.load(dockerArchive(other, ["other:1"]));
  const archive = await save(machine, ["app", "other:1"]);
  expect(document(archive, "manifest.json").map(({ RepoTags }: { RepoTags: string[] }) => RepoTags)).toEqual([
    ["app:1", "app:2"],
    ["other:1"],
  ]);
  expect([...members(archive).keys()].filter((path) => path.endsWith(made.layers[0]!.diffId.slice(7)))).toHaveLength(1);
  const named = document(archive, "index.json").manifests.map(
    ({ annotations }: { annotations: Record<string, string> }) => annotations["io.containerd.image.name"],
  );
  expect(named).toEqual(["docker.io/library/app:1", "docker.io/library/app:2", "docker.io/library/other:1"]);
  expect(document(await save(machine, [made.config.digest]), "manifest.json")[0].RepoTags).toBeNull();
});

test.each([
  [["nosuch:1"], [], "not_found", "reference does not exist"],
  [["nosuch"], [], "not_found", "No such image: nosuch"],
  [["app:1", "app:9"], [], "not_found", "reference does not exist"],
  [["UPPER"], [], "invalid", "invalid reference format"],
  [["app:1"], ['{"os":"linux","architecture":"s390x"}'], "not_found", "no suitable export target found for platform linux/s390x"],
])("a save of %p for %p is refused before the first byte", async (names, platforms, kind, message) => {
  await using machine = await openMachine();
  await machine.load(dockerArchive(twoLayers(), ["app:1"]));
  await expect(save(machine, names, { platforms })).rejects.toMatchObject({ kind, message: expect.stringContaining(message) });
});

test("an image stays readable while it is saved though it is removed, and is gone afterwards", async () => {
  await using machine = await openMachine();
  await machine.load(dockerArchive(twoLayers(), ["app:1"]));
  const { sizeBytes, body } = await saveImages(machine.deps, { names: ["app:1"], platforms: [] }, never);
  await machine.images.remove("app:1", { force: false, prune: true }, () => []);
  expect(Buffer.concat(await Array.fromAsync(body))).toHaveLength(sizeBytes);
  expect(await machine.leftovers()).toEqual([]);
});

test("a save that its reader gives up holds nothing", async () => {
  await using machine = await openMachine();
  await machine.load(dockerArchive(twoLayers(), ["app:1"]));
  for (const reads of [0, 3]) {
    const { body } = await saveImages(machine.deps, { names: ["app:1"], platforms: [] }, never);
    for (let read = 0; read < reads; read++) await body.next();
    await body.return();
  }
  await machine.images.remove("app:1", { force: false, prune: true }, () => []);
  expect(await machine.leftovers()).toEqual([]);
});

test("a layer whose archive is missing or cut breaks the save off, and is named", async () => {
  await using machine = await openMachine();
  const made = twoLayers();
  await machine.load(dockerArchive(made, ["app:1"]));
  const path = (await machine.snapshots.layerTar(made.layers[1]!.diffId))!.path;
  rmSync(path);
  await expect(save(machine, ["app:1"])).rejects.toThrow();
  await Bun.write(path, "short");
  await expect(save(machine, ["app:1"])).rejects.toThrow(made.layers[1]!.diffId);
});
