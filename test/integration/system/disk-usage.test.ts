import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { dockerArchive, image } from "../image/fixtures.ts";
import { TestRegistry } from "../image/registry.ts";

interface Usage {
  readonly LayersSize: number;
  readonly Images: readonly { RepoTags: string[]; Size: number; SharedSize: number }[];
  readonly Containers: readonly { Names: string[]; SizeRw?: number }[];
  readonly Volumes: readonly { Name: string; UsageData: { Size: number } }[];
  readonly ImageUsage: { readonly Reclaimable: number; readonly TotalSize: number; readonly ActiveCount: number };
}

/** Blocks that files below these places take; what is mounted there belongs to others. */
function du(...paths: readonly string[]): number {
  Bun.spawnSync(["sync", "-f", paths[0] ?? "/"]); // files that are not written yet have no blocks
  const { stdout } = Bun.spawnSync(["du", "-scx", "--block-size=1", ...paths]);
  return Number(/(\d+)\ttotal/.exec(stdout.toString())?.[1]);
}

function expectWithinOnePercent(actual: number, expected: number): void {
  expect(expected).toBeGreaterThan(0);
  expect({ actual, expected, isClose: Math.abs(actual - expected) <= expected / 100 }).toMatchObject({ isClose: true });
}

describe.each(["erofs", "overlay2", "vfs"] as const)("IMG-43: sizes are those of du, %s", (form) => {
  let daemon: TestDaemon;
  let registry: TestRegistry;
  let one: string;
  let two: string;
  const cli = (...args: string[]) => docker(daemon.host, ...args);
  const stores = () => ["content", "layers/tars", "layers/chains"].map((folder) => join(daemon.dataRoot, folder));
  const usage = async () => (await daemon.request("GET", "/system/df")).body as Usage;
  const imageIn = ({ Images }: Usage, tag: string) => Images.find(({ RepoTags }) => RepoTags?.includes(tag))!;
  const unique = ({ Size, SharedSize }: { Size: number; SharedSize: number }): number => Size - SharedSize;

  beforeAll(async () => {
    daemon = await startDaemon({ args: ["--storage-driver", form] });
    registry = await TestRegistry.start();
    await loadBusybox(daemon);
    const base = { base: randomBytes(6_000_000), zeros: Buffer.alloc(3_000_000), "etc/": "" };
    one = registry.put("one", "1", image([base, { own: randomBytes(2_000_000) }]));
    two = registry.put("two", "1", image([base, { own: randomBytes(3_500_000) }]));
    for (const name of [one, two]) await cli("pull", "-q", name);
    const alone = dockerArchive(image([{ alone: randomBytes(2_500_000) }]), ["alone:1"]);
    const loaded = await fetch("http://d/images/load", { unix: daemon.socket, method: "POST", body: alone });
    expect(await loaded.text()).toContain("Loaded image: alone:1");
  }, 60_000);
  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    await endClean(daemon);
  }, 60_000);

  test("all layers and blobs together are what lies in the stores", async () => {
    const { LayersSize, ImageUsage } = await usage();
    expectWithinOnePercent(LayersSize, du(...stores()));
    expect(ImageUsage).toMatchObject({ TotalSize: LayersSize, Reclaimable: LayersSize, ActiveCount: 0 });
  });

  test("what an image shares stays when it is removed, and what it has alone is free then", async () => {
    const before = await usage();
    expect(imageIn(before, one).SharedSize).toBe(imageIn(before, two).SharedSize);
    expect(imageIn(before, "alone:1").SharedSize).toBe(0);
    const sizes: number[] = [du(...stores())];
    for (const name of [one, "alone:1"]) {
      expect((await cli("rmi", name)).code).toBe(0);
      sizes.push(du(...stores()));
    }
    expectWithinOnePercent(unique(imageIn(before, one)), sizes[0]! - sizes[1]!);
    expectWithinOnePercent(unique(imageIn(before, "alone:1")), sizes[1]! - sizes[2]!);
    const after = await usage();
    expect(imageIn(after, two)).toMatchObject({ SharedSize: 0, Size: imageIn(before, two).Size });
    await cli("pull", "-q", one);
  });

  test("what is reclaimable is what a prune frees, by docker's own client too, also when used images share layers", async () => {
    for (const [name, from] of [
      ["uses-one", one],
      ["uses-busybox", busybox],
    ] as const)
      await cli("create", "--name", name, "--network", "none", from, "x");
    const { ImageUsage, LayersSize } = await usage();
    expect(ImageUsage.ActiveCount).toBe(2);
    const used = du(...stores());
    await cli("create", "--name", "uses-two", "--network", "none", two, "x");
    const shared = await usage(); // both used images have the base
    expect(shared.ImageUsage.Reclaimable).toBeLessThan(10_000);
    await cli("rm", "uses-two");
    const [row] = (await cli("system", "df", "--format", "{{.Size}} {{.Reclaimable}}")).stdout.split("\n");
    const [, size, reclaimable] = /^([\d.]+)MB ([\d.]+)MB /.exec(row ?? "") ?? [];
    await cli("image", "prune", "-af");
    const freed = used - du(...stores());
    expectWithinOnePercent(ImageUsage.Reclaimable, freed);
    expectWithinOnePercent(Number(size) * 1e6, LayersSize);
    expectWithinOnePercent(LayersSize - ImageUsage.Reclaimable, used - freed);
    expect(Number(reclaimable) * 1e6).toBeGreaterThan(ImageUsage.Reclaimable * 0.99);
    for (const name of ["uses-one", "uses-busybox"]) await cli("rm", name);
  });

  test("containers and volumes, with sparse files, links and folders", async () => {
    const write =
      "dd if=/dev/urandom of=/big bs=1M count=4; dd if=/dev/urandom of=/v/big bs=1M count=3; mkdir -p /d/e /v/d; " +
      "dd if=/dev/zero of=/sparse bs=1 count=1 seek=100M; dd if=/dev/zero of=/v/sparse bs=1 count=1 seek=50M; ln /big /again; ln /v/big /v/d/again; " +
      "i=0; while [ $i -lt 200 ]; do echo x > /d/$i; echo x > /v/d/$i; i=$((i+1)); done; sync";
    const run = await cli("run", "--name", "writes", "--network", "none", "-v", "data:/v", busybox, "sh", "-c", write);
    expect(run.code).toBe(0);
    const { Containers, Volumes } = await usage();
    const id = (await cli("inspect", "-f", "{{.Id}}", "writes")).stdout.trim();
    const upper = join(daemon.dataRoot, "containers", id, "upper");
    expectWithinOnePercent(Containers[0]!.SizeRw ?? 0, du(upper));
    expectWithinOnePercent(Volumes[0]!.UsageData.Size, du(join(daemon.dataRoot, "volumes/data/_data")));
    const gantry = Bun.spawn([process.execPath, "src/main.ts", "-H", daemon.host, "system", "df", "-v", "--format", "json"], {
      stdout: "pipe",
    });
    const [ours, theirs] = [await new Response(gantry.stdout).text(), (await cli("system", "df", "-v", "--format", "json")).stdout];
    const sizesIn = (text: string): unknown => {
      const lists = JSON.parse(text) as Record<string, Record<string, string>[]>;
      return Object.values(lists).map((rows) =>
        rows.map(({ Name, ID, Size, SharedSize, UniqueSize }) => ({ Name, ID, Size, SharedSize, UniqueSize })),
      );
    };
    expect(sizesIn(ours)).toEqual(sizesIn(theirs));
    await cli("rm", "writes");
    await cli("volume", "rm", "data");
  });
});
