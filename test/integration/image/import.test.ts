import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { tar } from "./fixtures.ts";

let daemon: TestDaemon;
let folder: string;
const cli = (...args: string[]) => docker(daemon.host, ...args);
const inspect = async (name: string) => JSON.parse((await cli("image", "inspect", "-f", "{{json .}}", name)).stdout);
const stray = () => ["content/tmp", "layers/tmp"].flatMap((name) => readdirSync(join(daemon.dataRoot, name)));

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "gantry-import-"));
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  rmSync(folder, { recursive: true, force: true });
  await endClean(daemon);
});

async function archive(name: string, bytes: Uint8Array): Promise<string> {
  await Bun.write(join(folder, name), bytes);
  return join(folder, name);
}

test("IMG-38: what a container has is exported, imported, and runs", async () => {
  await cli("create", "--name", "flat", busybox);
  await cli("export", "-o", join(folder, "root.tar"), "flat");
  await cli("rm", "flat");
  const made = await cli("import", "-m", "flat one", "-c", 'CMD ["echo","runs"]', "-c", "ENV A=1", join(folder, "root.tar"), "flat:1");
  expect(made.stdout).toMatch(/^sha256:[0-9a-f]{64}\n$/);
  expect((await cli("run", "--rm", "--network", "none", "flat:1")).stdout).toBe("runs\n");
  const shown = await inspect("flat:1");
  expect(shown).toMatchObject({ Comment: "flat one", Parent: "", Config: { Env: ["A=1"] } });
  expect(shown.RootFS.Layers).toHaveLength(1);
  expect((await cli("history", "--format", "{{.CreatedBy}}|{{.Comment}}", "flat:1")).stdout).toBe("|flat one\n");
});

test("plain, gzip and zstd give the same layer, other compressions are refused by name", async () => {
  const plain = Uint8Array.from(tar({ "etc/": "", "etc/f": "hello" }));
  const kinds = { plain, gzip: Bun.gzipSync(plain), zstd: Bun.zstdCompressSync(plain) };
  const layers = new Set<string>();
  for (const [kind, bytes] of Object.entries(kinds)) {
    await cli("import", await archive(`${kind}.tar`, bytes), `kind:${kind}`);
    layers.add((await inspect(`kind:${kind}`)).RootFS.Layers.join());
  }
  expect(layers.size).toBe(1);
  for (const magic of ["BZh91AY", "\u00fd7zXZ\0\0"])
    expect((await cli("import", await archive("odd", Buffer.from(`${magic}rest of it`, "latin1")))).stderr).toContain("use gzip or zstd");
  expect(stray()).toEqual([]);
});

test("the platform is the one asked for", async () => {
  const path = await archive("any.tar", tar({ f: "x" }));
  await cli("import", "--platform", "linux/arm/v7", path, "arm:7");
  expect(await inspect("arm:7")).toMatchObject({ Os: "linux", Architecture: "arm", Variant: "v7" });
  expect((await cli("import", "--platform", "bogus", path)).stderr).toContain("unknown operating system or architecture");
  expect((await cli("import", "--platform", "windows/amd64", path)).stderr).toContain("operating system is not supported");
});

test("a URL is read by the daemon, and what its server refuses is told", async () => {
  const bytes = Uint8Array.from(tar({ f: "from afar" }));
  using server = Bun.serve({
    port: 0,
    fetch: ({ url }) => (url.endsWith("/root.tar") ? new Response(bytes) : new Response("no such thing", { status: 404 })),
  });
  const from = `http://127.0.0.1:${server.port}`;
  expect((await cli("import", `${from}/root.tar`, "url:1")).stdout).toMatch(/^Downloading from .*\nsha256:[0-9a-f]{64}\n$/);
  expect((await inspect("url:1")).Comment).toBe(`Imported from ${from}/root.tar`);
  expect((await cli("import", `${from}/other`)).stderr).toContain(`failed to GET ${from}/other with status 404 Not Found: no such thing`);
  expect((await cli("import", "http://127.0.0.1:1/x")).stderr).toContain("connection refused");
});

test("A8: damaged archives, and bad wishes, give no image and leave nothing", async () => {
  const images = (await cli("images", "-aq")).stdout;
  const path = await archive("good.tar", tar({ f: "x" }));
  const bad = [
    await archive("cut.tar", tar({ f: "x".repeat(2000) }).subarray(0, 1500)),
    await archive("cut.gz", Bun.gzipSync(Uint8Array.from(tar({ f: "x".repeat(2000) }))).subarray(0, 40)),
    await archive("junk", Buffer.from("junk ".repeat(500))),
    await archive("up.tar", tar({ "../../etc/evil": "x" })),
  ];
  for (const one of bad) expect((await cli("import", one, "bad:1")).code).toBe(1);
  expect((await cli("import", "-c", "RUN x", path)).stderr).toContain("RUN is not a valid change command");
  expect((await cli("import", path, "UPPER")).code).toBe(1);
  expect((await cli("images", "-aq")).stdout).toBe(images);
  expect(stray()).toEqual([]);
});

test("F1: kills during import, load and save leave a store that is whole", async () => {
  const big = join(folder, "big.tar");
  const bytes = tar({ big: Buffer.alloc(48 << 20, crypto.randomUUID()) });
  await Bun.write(big, bytes);
  await cli("import", big, "whole:1");
  await cli("save", "-o", join(folder, "saved.tar"), "whole:1");
  await cli("rmi", "whole:1");
  const work = [
    () => cli("import", big, "storm:1"),
    () => cli("load", "-i", join(folder, "saved.tar")),
    () => cli("save", "-o", join(folder, "again.tar"), "kept:1"),
  ];
  await cli("import", big, "kept:1");
  for (const [round, delayMilliseconds] of [30, 120, 60, 200, 20, 80].entries()) {
    const running = work[round % work.length]!();
    await Bun.sleep(delayMilliseconds);
    await daemon.kill();
    await running;
    await daemon.start();
    expect(stray()).toEqual([]);
    const listed = (await cli("images", "--format", "{{.Repository}}:{{.Tag}}")).stdout.trim().split("\n");
    for (const name of listed.filter((one) => /^(storm|whole|kept):/.test(one))) {
      await cli("save", "-o", join(folder, "check.tar"), name);
      const [layer = ""] = (await inspect(name)).RootFS.Layers as string[];
      const hash = Bun.spawnSync(["sh", "-c", `tar xOf ${folder}/check.tar blobs/sha256/${layer.slice(7)} | sha256sum`]);
      expect(hash.stdout.toString().slice(0, 64)).toBe(layer.slice(7));
      if (name !== "kept:1") await cli("rmi", name);
    }
  }
  await cli("rmi", "kept:1");
  expect(readdirSync(join(daemon.dataRoot, "layers/tars"))).toHaveLength(
    new Set(
      (await Promise.all((await cli("images", "-aq")).stdout.trim().split("\n").map(inspect))).flatMap(
        (one) => one.RootFS.Layers as string[],
      ),
    ).size,
  );
}, 100_000);
