import { afterAll, beforeAll, expect, test } from "bun:test";
import { join } from "node:path";
import { endClean, expectClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { imageArchive } from "#helper/bootstrap/image-archive.ts";
import { LayerWriter } from "#helper/bootstrap/layer-writer.ts";
import { toPackage } from "#helper/bootstrap/sbom-package.ts";
import { scratchFolder } from "../../support/scratch-folder.ts";
import { TestRegistry } from "../image/registry.ts";

const main = join(import.meta.dir, "../../../src/main.ts");
const folder = scratchFolder("sbom", afterAll);
let daemon: TestDaemon;
beforeAll(async () => void (daemon = await startDaemon()));
afterAll(() => endClean(daemon));

const gantry = async (...args: readonly string[]): Promise<{ stdout: string; stderr: string; code: number }> => {
  const child = Bun.spawn([process.execPath, main, "-H", daemon.host, ...args], { stdio: ["ignore", "pipe", "pipe"] });
  const [stdout, stderr, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return { stdout, stderr, code };
};

/** What a bootstrap makes, without its packages being fetched. */
async function archive(): Promise<Uint8Array> {
  using writer = new LayerWriter(join(folder, `${crypto.randomUUID()}.tar`));
  writer.add({ type: "file", path: "etc/one", mode: 0o644, uid: 0, gid: 0, modified: { seconds: 0, nanoseconds: 0 } }, Buffer.from("one"));
  const control = new Map(Object.entries({ package: "one", version: "1.0-1", architecture: "all" }));
  const image = {
    reference: "made:1",
    layer: writer.finish(),
    command: ["sh"],
    epochSeconds: 1_700_000_000,
    labels: {},
    createdBy: "a test",
    packages: [toPackage(control, { sha256: "a".repeat(64) })],
    distribution: { id: "debian", codename: "bookworm" },
  };
  return Buffer.concat(await Array.fromAsync(imageArchive(image)));
}

test("a bootstrapped image brings its bill of materials, which goes along to a registry and back (REG-32, SEC-38)", async () => {
  const bytes = await archive();
  expect(Buffer.compare(bytes, await archive())).toBe(0);
  const file = join(folder, "image.tar");
  await Bun.write(file, bytes);
  expect(await gantry("load", "-q", "-i", file)).toMatchObject({ stdout: "Loaded image: made:1\n", code: 0 });
  const row = /^DIGEST +ARTIFACT TYPE +SIZE +WHERE\nsha256:[0-9a-f]{12} +application\/spdx\+json +\d+B +local\n$/;
  expect((await gantry("image", "referrers", "made:1")).stdout).toMatch(row);
  await expectClean(daemon);

  await using registry = await TestRegistry.start();
  registry.keepsReferrers = true;
  const name = `${registry.host}/team/made:1`;
  await gantry("tag", "made:1", name);
  expect((await gantry("push", name)).stdout).toMatch(/: Pushed referrer application\/spdx\+json\n1: digest: /);
  const format = ["--format", "{{.ArtifactType}} {{.Where}} {{.Created}}"];
  expect((await gantry("image", "referrers", ...format, name)).stdout).toBe("application/spdx+json local, registry 2023-11-14T22:13:20Z\n");
  await gantry("rmi", "-f", name, "made:1");
  expect((await gantry("image", "referrers", "--local", name)).stderr).toBe(`Error response from daemon: No such image: ${name}\n`);
  expect((await gantry("pull", "--referrers", name)).stdout).toMatch(/: Pulling referrer application\/spdx\+json\n.*: Pull complete\n/);
  expect((await gantry("image", "referrers", "--local", ...format, name)).stdout).toBe(
    "application/spdx+json local 2023-11-14T22:13:20Z\n",
  );
  expect(
    (await gantry("image", "referrers", "--local", "--artifact-type", "application/other", "--format", "{{.Digest}}", name)).stdout,
  ).toBe("");
  await gantry("rmi", name);
});
