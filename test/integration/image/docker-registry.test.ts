import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ociArchive, image } from "./fixtures.ts";
import { lines, openMachine } from "./machine.ts";

const folder = mkdtempSync(join(tmpdir(), "gantry-docker-registry-"));
let host = "";
let server: Bun.Subprocess | undefined;

beforeAll(async () => {
  const port = freePort();
  host = `127.0.0.1:${port}`;
  const config = join(folder, "config.yml");
  const storage = `storage: { filesystem: { rootdirectory: ${folder}/storage } }`;
  writeFileSync(config, `version: 0.1\nlog: { level: error }\n${storage}\nhttp: { addr: "${host}" }\n`);
  server = Bun.spawn(["docker-registry", "serve", config], { stdout: "ignore", stderr: "ignore" });
  const isUp = async (): Promise<boolean> =>
    fetch(`http://${host}/v2/`).then(
      (response) => response.ok,
      () => false,
    );
  while (!(await isUp())) await Bun.sleep(20);
});

afterAll(async () => {
  server?.kill();
  await server?.exited;
  rmSync(folder, { recursive: true, force: true });
});

test.each(["gzip", "zstd"] as const)("an image with %s layers pushed by skopeo is pulled from a real registry", async (compress) => {
  await using machine = await openMachine();
  const made = image([{ "etc/": "", "etc/one": "1" }, { two: randomBytes(2_000_000) }], { compress });
  const archive = join(folder, `${compress}.tar`);
  writeFileSync(archive, ociArchive(made, { "org.opencontainers.image.ref.name": "made:1" }));
  const name = `${host}/team/${compress}:1`;
  const push = Bun.spawn([
    "skopeo",
    "copy",
    "-q",
    "--dest-tls-verify=false",
    "--preserve-digests",
    `oci-archive:${archive}`,
    `docker://${name}`,
  ]);
  expect(await push.exited).toBe(0);
  expect(lines(await machine.pull(name)).at(-1)).toBe(`Status: Downloaded newer image for ${name}`);
  expect(machine.images.find(name)).toMatchObject({ id: made.config.digest, manifestDigest: made.manifest.digest });
  expect(lines(await machine.pull(name)).at(-1)).toBe(`Status: Image is up to date for ${name}`);
  await expect(machine.pull(`${host}/team/${compress}:2`)).rejects.toThrow(
    `manifest for ${host}/team/${compress}:2 not found: manifest unknown: manifest unknown`,
  );
  expect(await machine.leftovers()).toEqual([]);
});

function freePort(): number {
  const probe = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = probe;
  probe.stop(true);
  return port;
}
