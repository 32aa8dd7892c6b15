import { expect, test } from "bun:test";
import { imageManifests } from "#engine/image/platforms/manifests.ts";
import { ImageService } from "#engine/image/service.ts";
import { silentLogger } from "#lib/log.ts";
import { mediaTypes } from "#types/oci/image.ts";
import { tar } from "./fixtures.ts";
import { openMachine, type Machine } from "./machine.ts";
import { foreign, host, putIndex } from "./multi-platform.ts";
import { TestRegistry } from "./registry.ts";

const foreignPlatform = { os: "linux", architecture: foreign };
async function shown({ images, content }: Machine, name: string): Promise<readonly (readonly [string, boolean, boolean])[]> {
  const manifests = await imageManifests({ images, content, containersOf: () => [] }, images.find(name));
  return manifests.map(({ kind, isAvailable, contentBytes }) => [
    kind.type === "image" ? kind.platform.architecture : kind.type,
    isAvailable,
    contentBytes > 0,
  ]);
}

test("a name shows all platforms of its index, and those as available that are here (IMG-26)", async () => {
  await using registry = await TestRegistry.start();
  await using machine = await openMachine();
  const { name, own, other } = putIndex(registry);
  await machine.pull(name, { platform: `linux/${foreign}` });
  expect(await shown(machine, name)).toEqual([
    [host, false, false],
    [foreign, true, true],
    ["s390x", false, false],
    ["attestation", false, false],
  ]);
  await machine.pull(name);
  expect(machine.images.find(name).id).toBe(own.config.digest); // the host's, though another platform of the same index was there
  expect((await shown(machine, name)).map(([, isAvailable]) => isAvailable)).toEqual([true, true, false, false]);
  expect(machine.images.findFor(name, foreignPlatform).id).toBe(other.config.digest);
  expect(machine.images.resolveForRun(name, `linux/${foreign}`).id).toBe(other.config.digest);
  expect(() => machine.images.findFor(name, { os: "linux", architecture: "s390x" })).toThrow(
    `image with reference ${name} was found but its platform (linux/${host}) does not match the specified platform (linux/s390x)`,
  );
  expect(await machine.leftovers()).toEqual([]);
});

test("the platforms of a name are known to a daemon that starts anew, and are those of its other names (IMG-27)", async () => {
  await using registry = await TestRegistry.start();
  await using machine = await openMachine();
  const { name, own } = putIndex(registry);
  await machine.pull(name);
  await machine.images.tag(name, "copy", "1");
  await machine.images.remove(name, { force: false, prune: true }, () => []);
  expect(await shown(machine, "copy:1")).toHaveLength(4);
  const anew = await ImageService.open({ store: machine.store, ...machine.deps, log: silentLogger });
  await anew.collectGarbage();
  expect(await shown({ ...machine, images: anew }, "copy:1")).toHaveLength(4);
  expect(await shown(machine, own.config.digest)).toHaveLength(4);
  expect(await machine.leftovers()).toEqual([]);
});

test("the index goes with the last name that stands for it", async () => {
  await using registry = await TestRegistry.start();
  await using machine = await openMachine();
  const { name, index, own } = putIndex(registry);
  await machine.pull(name);
  expect(await machine.content.info(index.digest)).toBeDefined();
  // The tag comes to stand for another index; the name by digest stays with the first.
  const second = putIndex(registry, "2");
  registry.putManifest("team/app", "1", second.index.bytes, mediaTypes.ociIndex);
  await machine.pull(name);
  expect(await machine.content.info(index.digest)).toBeDefined();
  await machine.images.remove(own.config.digest, { force: true, prune: true }, () => []);
  expect(await machine.content.info(index.digest)).toBeUndefined();
  await machine.images.remove(name, { force: false, prune: true }, () => []);
  const left: string[] = [];
  for await (const { digest } of machine.content.list()) left.push(digest);
  expect(left).toEqual([]);
});

test("push --platform sends the image of another platform of the name, and the name stays (IMG-27)", async () => {
  await using registry = await TestRegistry.start();
  await using machine = await openMachine();
  const { name, own, other } = putIndex(registry);
  await machine.pull(name, { platform: `linux/${foreign}` });
  await machine.pull(name);
  await machine.images.tag(name, `${registry.host}/elsewhere`, "1");
  const copy = `${registry.host}/elsewhere:1`;
  await machine.push(copy, { platform: foreignPlatform });
  expect(registry.manifest("elsewhere", "1")?.digest).toBe(other.manifest.digest);
  expect(machine.images.find(copy).id).toBe(own.config.digest);
  expect(await machine.leftovers()).toEqual([]);
});

test("an archive with a name for several platforms keeps its index, and those that were loaded are available (IMG-26)", async () => {
  await using registry = await TestRegistry.start();
  await using machine = await openMachine();
  const { index, own, other } = putIndex(registry);
  const blobs = [index, ...[own, other].flatMap((made) => [made.manifest, made.config, ...made.layers])];
  const annotations = { "io.containerd.image.name": "docker.io/library/multi:1" };
  const archive = tar({
    ...Object.fromEntries(blobs.map(({ digest, bytes }) => [`blobs/sha256/${digest.slice(7)}`, bytes])),
    "oci-layout": '{"imageLayoutVersion":"1.0.0"}',
    "index.json": JSON.stringify({
      schemaVersion: 2,
      manifests: [{ mediaType: mediaTypes.ociIndex, digest: index.digest, size: index.bytes.length, annotations }],
    }),
  });
  await machine.load(archive, { platform: `linux/${foreign}` });
  expect((await shown(machine, "multi:1")).map(([, isAvailable]) => isAvailable)).toEqual([false, true, false, false]);
  await machine.load(archive);
  expect((await shown(machine, "multi:1")).map(([, isAvailable]) => isAvailable)).toEqual([true, true, false, false]);
  expect(machine.images.find("multi:1").id).toBe(own.config.digest);
  expect(await machine.leftovers()).toEqual([]);
});
