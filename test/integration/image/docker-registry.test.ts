import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { fetchReferrers } from "#engine/image/referrers/fetch.ts";
import type { ImageIndex } from "#types/oci/image.ts";
import { startRealRegistry, type RealRegistry } from "../../support/docker-registry.ts";
import { scratchFolder } from "../../support/scratch-folder.ts";
import { artifact, withArtifacts } from "./artifacts.ts";
import { dockerArchive, image, ociArchive } from "./fixtures.ts";
import { lines, openMachine } from "./machine.ts";

const folder = scratchFolder("docker-registry", afterAll);
let registry: RealRegistry;

beforeAll(async () => {
  registry = await startRealRegistry({ folder });
});
afterAll(() => registry[Symbol.asyncDispose]());

test.each(["gzip", "zstd"] as const)("an image with %s layers pushed by skopeo is pulled from a real registry", async (compress) => {
  await using machine = await openMachine();
  const made = image([{ "etc/": "", "etc/one": "1" }, { two: randomBytes(2_000_000) }], { compress });
  const archive = join(folder, `${compress}.tar`);
  writeFileSync(archive, ociArchive(made, { "org.opencontainers.image.ref.name": "made:1" }));
  const name = `${registry.host}/team/${compress}:1`;
  expect(await skopeo("copy", "-q", "--dest-tls-verify=false", "--preserve-digests", `oci-archive:${archive}`, `docker://${name}`)).toBe(
    "",
  );
  expect(lines(await machine.pull(name)).at(-1)).toBe(`Status: Downloaded newer image for ${name}`);
  expect(machine.images.find(name)).toMatchObject({ id: made.config.digest, manifestDigest: made.manifest.digest });
  expect(lines(await machine.pull(name)).at(-1)).toBe(`Status: Image is up to date for ${name}`);
  await expect(machine.pull(`${registry.host}/team/${compress}:2`)).rejects.toThrow(
    `manifest for ${registry.host}/team/${compress}:2 not found: manifest unknown: manifest unknown`,
  );
  expect(await machine.leftovers()).toEqual([]);
});

test.each(["gzip", "zstd"] as const)("an image with %s layers that we push is the same for skopeo (REG-05, REG-19)", async (compress) => {
  await using machine = await openMachine();
  const made = image([{ "etc/": "", "etc/one": "1" }, { two: randomBytes(2_000_000) }], { compress });
  const name = `${registry.host}/pushed/${compress}:1`;
  await machine.load(ociArchive(made, { "org.opencontainers.image.ref.name": name }));
  await machine.push(name);
  expect(await skopeo("inspect", "--tls-verify=false", "--format", "{{.Digest}}", `docker://${name}`)).toBe(made.manifest.digest);
  expect(await skopeo("copy", "-q", "--src-tls-verify=false", `docker://${name}`, `dir:${join(folder, `out-${compress}`)}`)).toBe("");
  // Its neighbour takes the layers over without a byte being sent.
  await machine.images.tag(name, `${registry.host}/pushed/neighbour-${compress}`, "1");
  const told = lines(await machine.push(`${registry.host}/pushed/neighbour-${compress}:1`));
  expect(told.filter((line) => line.endsWith(`Mounted from pushed/${compress}`))).toHaveLength(2);
});

test("an image of plain tars, as docker save writes it, is pushed compressed and comes back the same", async () => {
  await using machine = await openMachine();
  const made = image([{ one: "1".repeat(500_000) }, { two: randomBytes(10_000) }]);
  const name = `${registry.host}/loaded:1`;
  await machine.load(dockerArchive(made, [name]));
  await machine.push(name);
  const { manifestDigest } = machine.images.find(name);
  expect(await skopeo("inspect", "--tls-verify=false", "--format", "{{.Digest}}", `docker://${name}`)).toBe(manifestDigest);
  await using elsewhere = await openMachine();
  await elsewhere.pull(name);
  expect(elsewhere.images.find(name)).toMatchObject({ id: made.config.digest, manifestDigest });
});

test("a registry without a list of referrers has it in a tag, and keeps the artifacts (REG-32)", async () => {
  await using machine = await openMachine();
  const made = image([{ one: "1".repeat(10_000) }]);
  const name = `${registry.host}/referred:1`;
  const document = artifact(made.manifest, "application/spdx+json", '{"spdxVersion":"SPDX-2.3"}');
  await machine.load(withArtifacts(made, name, [document, artifact(made.manifest, "application/example", "more")]));
  await machine.push(name);
  const tag = `${registry.host}/referred:${made.manifest.digest.replace(":", "-")}`;
  const listed = JSON.parse(await skopeo("inspect", "--raw", "--tls-verify=false", `docker://${tag}`)) as ImageIndex;
  expect(listed.manifests.map(({ artifactType }) => artifactType)).toEqual(["application/spdx+json", "application/example"]);
  await using elsewhere = await openMachine();
  await elsewhere.pull(name);
  await fetchReferrers(elsewhere.deps, { image: name }, () => {}, new AbortController().signal);
  expect(elsewhere.images.find(name).referrers).toEqual(machine.images.find(name).referrers);
  expect(await elsewhere.leftovers()).toEqual([]);
});

const peer = process.env["GANTRY_PEER_DOCKER_HOST"];

test.skipIf(!peer)("what we push is pulled by Docker's daemon with the same digest (skipped: no GANTRY_PEER_DOCKER_HOST)", async () => {
  await using machine = await openMachine();
  const images = {
    compressed: image([{ "etc/": "", "etc/one": "1" }, { two: randomBytes(100_000) }]),
    plain: image([{ one: "1".repeat(100_000) }]),
  };
  const name = (kind: string): string => `${registry.host}/peer/${kind}:1`;
  await machine.load(ociArchive(images.compressed, { "org.opencontainers.image.ref.name": name("compressed") }));
  await machine.load(dockerArchive(images.plain, [name("plain")]));
  for (const [kind, made] of Object.entries(images)) {
    await machine.push(name(kind));
    const docker = (...args: readonly string[]): Promise<string> => run("docker", "-H", peer ?? "", ...args);
    try {
      expect(await docker("pull", "-q", name(kind))).toBe(name(kind));
      const seen = await docker("image", "inspect", "-f", "{{.Id}} {{index .RepoDigests 0}}", name(kind));
      const { manifestDigest } = machine.images.find(name(kind));
      expect(seen).toBe(`${made.config.digest} ${registry.host}/peer/${kind}@${manifestDigest}`);
    } finally {
      await docker("rmi", name(kind));
    }
  }
});

const skopeo = (...args: readonly string[]): Promise<string> => run("skopeo", ...args);

/** @returns what it has printed, failures included */
async function run(...command: readonly string[]): Promise<string> {
  const child = Bun.spawn([...command], { stdout: "pipe", stderr: "pipe" });
  const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return (code === 0 ? out : err).trim();
}
