import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { closeSync, openSync, readdirSync, readFileSync, readSync, rmSync, truncateSync, writeSync } from "node:fs";
import { join } from "node:path";
import { chainIds } from "#drivers/snapshot/chain-id.ts";
import { layerPaths } from "#drivers/snapshot/layer-store.ts";
import { endClean, expectClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker, type Finished } from "../../support/docker.ts";
import { until } from "../../support/until.ts";
import { Disk } from "../system/disk.ts";
import { blob, dockerArchive, image, type FixtureImage } from "./fixtures.ts";
import { TestRegistry } from "./registry.ts";

const busybox = readFileSync(Bun.which("busybox", { PATH: "/bin:/usr/bin" }) ?? "");
const program = { "bin/": "", "bin/busybox": busybox, "bin/sh": { link: "busybox" } };
/** Two layers: programs, and data that only this image has. */
const newImage = (): FixtureImage => image([program, { data: randomBytes(200_000), "sum/": "" }]);

function flip(path: string, offset: number): void {
  const file = openSync(path, "r+");
  const byte = Buffer.alloc(1);
  readSync(file, byte, 0, 1, offset);
  writeSync(file, Buffer.of((byte[0] ?? 0) ^ 1), 0, 1, offset);
  closeSync(file);
}

describe.each(["erofs", "overlay2", "vfs"] as const)("%s", (form) => {
  let daemon: TestDaemon;
  let registry: TestRegistry;
  let made: FixtureImage;
  let name: string;
  let count = 0;

  const cli = (...args: string[]) => docker(daemon.host, ...args);
  const layers = () => layerPaths(join(daemon.dataRoot, "layers"));
  const blobPath = (digest: string): string => join(daemon.dataRoot, "content/blobs/sha256", digest.slice(7));
  const [low, top] = [() => made.layers[0]!, () => made.layers[1]!];
  const chain = () => chainIds(made.layers.map(({ diffId }) => diffId));
  const content = (index: 0 | 1): string =>
    form === "erofs" ? layers().index(chain()[index]!) : join(layers().files(chain()[index]!), index === 0 ? "bin/busybox" : "data");

  async function gantry(...args: string[]): Promise<Finished> {
    const child = Bun.spawn([process.execPath, "src/main.ts", "-H", daemon.host, ...args], { stdout: "pipe", stderr: "pipe" });
    const [stdout, stderr, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
    return { stdout, stderr, code };
  }

  /** What containers read of the data, and that they can. */
  async function dataSum(image = name): Promise<string> {
    const { stdout, stderr } = await cli("run", "--rm", "--network", "none", image, "/bin/busybox", "sha256sum", "/data");
    return stdout.slice(0, 64) || stderr;
  }
  const rightSum = (): string => blob(readFileSync(layers().tar(top().diffId)).subarray(512, 512 + 200_000)).digest.slice(7);

  beforeAll(async () => {
    daemon = await startDaemon({ args: ["--storage-driver", form] });
    registry = await TestRegistry.start();
  }, 30_000);
  afterAll(async () => {
    await registry[Symbol.asyncDispose]();
    await endClean(daemon);
  }, 60_000);
  beforeEach(async () => {
    made = newImage();
    name = registry.put(`app${++count}`, "1", made);
    expect((await cli("pull", "-q", name)).code).toBe(0);
  }, 30_000);

  afterEach(async () => {
    await cli("rmi", "-f", name);
  });

  test("verify reads everything, and says that it is whole", async () => {
    const { stdout, stderr, code } = await gantry("image", "verify");
    expect([stderr, code]).toEqual(["", 0]);
    expect(stdout).toMatch(new RegExp(`^${name} +2 layers, 4 blobs +\\S+ +whole *$`, "m"));
    expect((await gantry("image", "verify", "--quiet", name)).stdout).toBe("");
    const [row] = (await gantry("image", "verify", "--format", "json", name)).stdout.trim().split("\n");
    expect(JSON.parse(row ?? "")).toMatchObject({ Image: name, ID: made.config.digest, State: "whole", Reason: "" });
    const missing = await gantry("image", "verify", "nothing:1");
    expect([missing.code, missing.stderr]).toEqual([1, "Error response from daemon: No such image: nothing:1\n"]);
  }, 30_000);

  interface DamageCase {
    readonly what: string;
    readonly harm: () => string;
    readonly object: () => string;
    readonly reason: string;
    /** Blobs that the repair fetches. */
    readonly fetched: () => readonly string[];
  }
  const inTop = { object: () => `layer ${top().diffId}`, fetched: () => [] };
  const tarOf = (layer: { readonly diffId: ReturnType<typeof top>["diffId"] }): string => layers().tar(layer.diffId);
  const harmed = (path: string, harm: (path: string) => void): string => {
    harm(path);
    return path;
  };
  const cases: DamageCase[] = [
    {
      what: "a flipped bit in a layer",
      harm: () => harmed(tarOf(top()), (path) => flip(path, 5000)),
      ...inTop,
      reason: "its archive has another digest",
    },
    {
      what: "a cut layer",
      harm: () => harmed(tarOf(top()), (path) => truncateSync(path, 1024)),
      ...inTop,
      reason: "its archive is cut: 1024 of",
    },
    { what: "a deleted layer", harm: () => harmed(tarOf(top()), rmSync), ...inTop, reason: "its archive is missing" },
    {
      what: "a flipped bit in what containers read",
      harm: () => harmed(content(1), (path) => flip(path, 1300)),
      ...inTop,
      reason: form === "erofs" ? "its index has another digest" : 'its file "/data" is not as the archive has it',
    },
    {
      what: "deleted files of the lower layer",
      harm: () => harmed(content(0), rmSync),
      object: () => `layer ${low().diffId}`,
      fetched: () => [],
      reason: form === "erofs" ? "its index is missing" : 'its file "/bin" is not as the archive has it',
    },
    {
      what: "a layer that is damaged together with its blob",
      harm: () => {
        flip(blobPath(top().digest), 100);
        return harmed(tarOf(top()), (path) => flip(path, 5000));
      },
      object: () => `layer ${top().diffId}`,
      fetched: () => [top().digest],
      reason: "its archive has another digest",
    },
    {
      what: "a flipped bit in a compressed blob",
      harm: () => harmed(blobPath(top().digest), (path) => flip(path, 100)),
      object: () => `blob ${top().digest}`,
      fetched: () => [top().digest],
      reason: "its content has another digest",
    },
    {
      what: "a flipped bit in a config",
      harm: () => harmed(blobPath(made.config.digest), (path) => flip(path, 20)),
      object: () => `config ${made.config.digest}`,
      fetched: () => [made.config.digest],
      reason: "its content has another digest",
    },
    {
      what: "a deleted manifest",
      harm: () => harmed(blobPath(made.manifest.digest), rmSync),
      object: () => `manifest ${made.manifest.digest}`,
      fetched: () => [made.config.digest],
      reason: "it is missing",
    },
  ];

  test.each(cases.map((one) => [one.what, one] as const))(
    "F12: %s is found and named, and a pull brings just that",
    async (_, { harm, object, reason, fetched }) => {
      const sum = rightSum();
      const file = harm();
      const found = await gantry("image", "verify", name);
      expect(found.code).toBe(1);
      expect(found.stderr).toContain(`${name}: ${object()}: ${reason}`);
      expect(found.stderr).toContain(`(${file.slice(0, file.indexOf("/fs/") < 0 ? undefined : file.indexOf("/fs/") + 3)})`);
      expect(found.stderr).toEndWith(`To repair ${name}: gantry pull ${name}\n`);
      expect((await gantry("image", "verify", "-q")).stdout).toBe(`${name}\n`);

      const before = registry.requests.length;
      const pulled = await cli("pull", name);
      expect([pulled.code, pulled.stderr]).toEqual([0, ""]);
      const asked = registry.requests.slice(before).filter(({ method, path }) => method === "GET" && path.includes("/blobs/"));
      const blobs = asked.map(({ path }) => path.slice(path.lastIndexOf("/") + 1));
      expect(blobs.filter((digest) => digest !== made.config.digest)).toEqual(fetched().filter((digest) => digest !== made.config.digest));
      expect(await gantry("image", "verify", name)).toMatchObject({ code: 0, stderr: "" });
      expect(await dataSum()).toBe(sum);
      expect(readdirSync(join(daemon.dataRoot, "content/damaged/sha256"))).toEqual([]);
      expect(readdirSync(layers().damaged)).toEqual([]);
      expect(readdirSync(layers().replaced)).toEqual([]);
    },
    60_000,
  );

  test("what verify found is known after a kill, and a load of the image repairs it", async () => {
    const local = image([program, { data: randomBytes(200_000) }]);
    const archive = dockerArchive(local, ["local:1"]);
    const load = async () => (await fetch("http://d/images/load", { unix: daemon.socket, method: "POST", body: archive })).text();
    expect(await load()).toContain("Loaded image: local:1");
    const path = layers().tar(local.layers[1]!.diffId);
    const right = readFileSync(path);
    flip(path, 5000);
    flip(blobPath(local.config.digest), 20);
    const found = await gantry("image", "verify", "local:1");
    expect(found.stderr).toContain(`local:1: layer ${local.layers[1]!.diffId}: its archive has another digest (${path})`);
    expect(found.stderr).toEndWith("To repair local:1: gantry load of an archive that has it, or make it again\n");
    await daemon.kill();
    await daemon.start();
    expect(await load()).toContain("Loaded image: local:1");
    expect(await gantry("image", "verify")).toMatchObject({ code: 0 });
    expect(readFileSync(path).equals(right)).toBe(true);
    expect(await dataSum("local:1")).toBe(blob(right.subarray(512, 512 + 200_000)).digest.slice(7));
    await cli("rmi", "local:1");
  }, 60_000);

  test("a container that runs on a damaged layer goes on, new ones have the new layer, and so has it after its next start", async () => {
    const sum = rightSum();
    const run = await cli("run", "-d", "--name", `on-${form}`, "--network", "none", name, "/bin/busybox", "sleep", "1000");
    expect(run.code).toBe(0);
    const sumInside = async () => (await cli("exec", `on-${form}`, "/bin/busybox", "sha256sum", "/data")).stdout.slice(0, 64);
    const wrong = form === "erofs" ? layers().tar(top().diffId) : content(1);
    flip(wrong, 5000);
    const damagedSum = await sumInside();
    if (form === "vfs")
      expect(damagedSum).toBe(sum); // it has a copy of its own
    else expect(damagedSum).not.toBe(sum);
    expect((await gantry("image", "verify", name)).code).toBe(1);
    expect((await cli("pull", name)).code).toBe(0);
    expect(await sumInside()).toBe(damagedSum); // nothing has changed under it
    expect(await dataSum()).toBe(sum);
    await daemon.kill();
    await daemon.start();
    expect(await sumInside()).toBe(damagedSum);
    expect(await dataSum()).toBe(sum);
    await cli("restart", "-t", "0", `on-${form}`);
    expect(await sumInside()).toBe(sum);
    expect(await gantry("image", "verify", name)).toMatchObject({ code: 0, stderr: "" });
    await until(() => readdirSync(layers().replaced).length === 0, 10_000);
    await cli("rm", "-f", `on-${form}`);
  }, 60_000);

  test("F1, F2: killed at any moment of a repair below a running container, the layer is damaged or whole, and repaired by the next pull", async () => {
    const sum = rightSum();
    const container = `below-${form}`;
    await cli("run", "-d", "--name", container, "--network", "none", name, "/bin/busybox", "sleep", "1000");
    for (let round = 0; round < 5; round++) {
      flip(form === "erofs" ? layers().tar(top().diffId) : content(1), 5000);
      flip(layers().tar(low().diffId), 5000);
      expect((await gantry("image", "verify", name)).code).toBe(1);
      const pulling = cli("pull", name);
      await Bun.sleep(40 + round * 40);
      await daemon.kill();
      await pulling;
      await daemon.start();
      expect((await cli("exec", container, "/bin/busybox", "echo", "runs")).stdout).toBe("runs\n");
      expect((await cli("pull", "-q", name)).code).toBe(0);
      expect(await gantry("image", "verify")).toMatchObject({ code: 0, stderr: "" });
      expect(await dataSum()).toBe(sum);
      await expectClean(daemon);
    }
    await cli("rm", "-f", container);
    await until(() => readdirSync(layers().replaced).length === 0, 10_000);
  }, 110_000);

  test("layers of a container whose image is gone are read too", async () => {
    await cli("create", "--name", `orphan-${form}`, "--network", "none", name, "/bin/sh");
    expect((await cli("rmi", "-f", made.config.digest)).code).toBe(0);
    expect((await gantry("image", "verify")).stdout).toMatch(/^<none> +2 layers, 0 blobs +\S+ +whole/m);
    flip(layers().tar(top().diffId), 5000);
    const found = await gantry("image", "verify");
    expect([found.code, found.stderr]).toEqual([1, expect.stringContaining("content of no image: layer sha256:")]);
    await cli("pull", "-q", name);
    expect(await gantry("image", "verify")).toMatchObject({ code: 0 });
    await cli("rm", `orphan-${form}`);
  }, 60_000);

  test("a client that hangs up ends the verification (B9)", async () => {
    const big = dockerArchive(image([{ big: Buffer.alloc(64 << 20) }], { compress: "none" }), ["big:1"]);
    await (await fetch("http://d/images/load", { unix: daemon.socket, method: "POST", body: big })).text();
    const helpers = (): string[] =>
      readdirSync("/proc").filter((pid) => {
        try {
          const words = readFileSync(`/proc/${pid}/cmdline`, "utf8").split("\0");
          return (
            words.includes("internal") &&
            readFileSync(`/proc/${pid}/stat`, "utf8").includes(`) S ${daemon.pid} `.slice(4)) &&
            words.some((word) => word.startsWith("verify"))
          );
        } catch {
          return false;
        }
      });
    const client = new AbortController();
    const answer = fetch("http://d/gantry/images/verify", { unix: daemon.socket, method: "POST", signal: client.signal });
    await until(() => helpers().length > 0, 10_000);
    for (const pid of helpers()) process.kill(Number(pid), "SIGSTOP"); // it would not end by itself
    client.abort();
    await (await answer.catch(() => undefined))?.text().catch(() => {});
    await until(() => helpers().length === 0, 10_000);
    await cli("rmi", "big:1");
  }, 60_000);
});

test("a bit that flips on the disk, below what memory has of it, is found", async () => {
  using disk = new Disk();
  const daemon = await startDaemon({ dataRoot: join(disk.path, "data") });
  try {
    const mark = randomBytes(64);
    const body = dockerArchive(image([{ data: Buffer.concat([mark, randomBytes(100_000)]) }]), ["flipped:1"]);
    await (await fetch("http://d/images/load", { unix: daemon.socket, method: "POST", body })).text();
    Bun.spawnSync(["sync", "-f", disk.path]);
    const verify = () => Bun.spawnSync([process.execPath, "src/main.ts", "-H", daemon.host, "image", "verify", "-q"]).stdout.toString();
    expect(verify()).toBe("");
    // Into the file below the loop device, so that the file system knows nothing of it.
    const [source = ""] = Bun.spawnSync(["findmnt", "-no", "SOURCE", disk.path]).stdout.toString().trim().split("\n");
    const backing = readFileSync(`/sys/block/${source.slice("/dev/".length)}/loop/backing_file`, "utf8").trim();
    const blocks = readFileSync(backing);
    for (let at = blocks.indexOf(mark); at >= 0; at = blocks.indexOf(mark, at + 1)) flip(backing, at + 7);
    expect(verify()).toBe("flipped:1\n");
  } finally {
    await endClean(daemon);
  }
}, 60_000);
