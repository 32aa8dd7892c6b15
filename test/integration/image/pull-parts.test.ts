import { afterAll, beforeAll, beforeEach, afterEach, describe, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { image, type FixtureImage } from "./fixtures.ts";
import { openMachine, type Machine } from "./machine.ts";
import { RangedStorage, type RangedBlob } from "./ranges.ts";
import { refuse, TestRegistry } from "./registry.ts";

// A large layer comes in parts, from registries that can do so and from those that only say it.
const mega = 1 << 20;
let made: FixtureImage;
let machine: Machine;
let registry: TestRegistry;

beforeAll(() => {
  made = image([{ one: randomBytes(72 * mega) }], { compress: "none" });
});
beforeEach(async () => {
  machine = await openMachine();
  registry = await TestRegistry.start();
});
afterEach(async () => {
  await registry[Symbol.asyncDispose]();
  await machine[Symbol.asyncDispose]();
});
afterAll(() => {
  made = image([]);
});

function layerOf({ layers }: FixtureImage): FixtureImage["layers"][number] {
  const [layer] = layers;
  if (!layer) throw new Error("the image of the test has a layer");
  return layer;
}

/** Serves the image from a storage that does what the test wants. */
function serve(storage: Omit<RangedBlob, "digest" | "bytes"> = {}): { readonly name: string; readonly storage: RangedStorage } {
  const { digest, bytes } = layerOf(made);
  const ranged = new RangedStorage({ digest, bytes, ...storage });
  registry.lie = ranged.answer;
  return { name: registry.put("a", "1", made), storage: ranged };
}

async function expectWhole(): Promise<void> {
  const [pulled] = machine.images.list();
  expect(pulled?.layers.map(({ digest }) => digest)).toEqual([layerOf(made).digest]);
  expect(await machine.leftovers()).toEqual([]);
}

test("a registry that gives 20 MB/s per connection is read by as many as downloads may be at once (IMG-28)", async () => {
  const { name, storage } = serve({ bytesPerSecond: () => 20e6 });
  const start = performance.now();
  await machine.pull(name);
  const seconds = (performance.now() - start) / 1000;
  await expectWhole();
  expect(storage.mostOpen).toBe(3);
  // One connection needs 3.8 s for it.
  expect(seconds).toBeLessThan(3.4);
}, 60_000);

test("a fast registry is read by one connection, each byte once", async () => {
  const { name, storage } = serve();
  await machine.pull(name);
  await expectWhole();
  expect(storage.sentBytes).toBe(layerOf(made).bytes.length);
}, 60_000);

test("where one download at once is allowed, there is one connection", async () => {
  const { storage } = serve({ bytesPerSecond: () => 40e6 });
  const { digest, bytes } = layerOf(made);
  const repository = machine.deps.registries.repository({ domain: registry.host, path: "a", tag: "1" }, undefined);
  const options = { digest, sizeBytes: bytes.length, folder: machine.content.temporary, spareConnection: () => undefined };
  const { signal } = new AbortController();
  await repository.resolve("1", signal);
  const path = await repository.blob(options, signal);
  await machine.content.adopt(path, { digest, sizeBytes: bytes.length });
  expect(storage.mostOpen).toBe(1);
}, 60_000);

describe("a storage that cannot be trusted with parts is read in one stream:", () => {
  const total = (): number => layerOf(made).bytes.length;
  const part = (response: ServerResponse, contentRange: string, lengthBytes: number, etag = '"one"'): void => {
    response.writeHead(206, { "content-range": contentRange, "content-length": lengthBytes, etag });
    response.end(Buffer.alloc(lengthBytes));
  };
  type Lie = NonNullable<RangedBlob["lie"]>;
  const lies: readonly (readonly [string, Lie])[] = [
    [
      "no parts at all",
      (_range, response) => {
        response.writeHead(200, { "content-length": total() });
        response.end(layerOf(made).bytes);
        return true;
      },
    ],
    [
      "parts refused",
      ({ end }, response) => {
        if (end === total()) return false;
        refuse(response, 416, "UNSUPPORTED", "no parts here");
        return true;
      },
    ],
    [
      "another part than was asked for",
      ({ start, end }, response) => {
        if (start === 0 || end === total()) return false;
        part(response, `bytes 0-${end - start - 1}/${total()}`, end - start);
        return true;
      },
    ],
    [
      "a part of something shorter",
      ({ start, end }, response) => {
        if (end === total()) return false;
        part(response, `bytes ${start}-${end - 1}/${total() - 1}`, end - start);
        return true;
      },
    ],
    [
      "a part that changed meanwhile",
      ({ start, end }, response) => {
        if (start === 0 || end === total()) return false;
        part(response, `bytes ${start}-${end - 1}/${total()}`, end - start, '"two"');
        return true;
      },
    ],
    [
      "all of it instead of the second part",
      ({ start, end }, response) => {
        if (start === 0 || end === total()) return false;
        response.writeHead(200, { "content-length": total() });
        response.end(layerOf(made).bytes);
        return true;
      },
    ],
    [
      "wrong bytes in a part that looks right",
      ({ start, end }, response, count) => {
        if (start === 0 || count > 5) return false;
        part(response, `bytes ${start}-${end - 1}/${total()}`, end - start);
        return true;
      },
    ],
  ];

  test.each(lies)(
    "%s (B1, B8)",
    async (_what, lie) => {
      const { name } = serve({ lie });
      await machine.pull(name);
      await expectWhole();
    },
    60_000,
  );
});

test("a second connection that the registry refuses leaves the work to the first", async () => {
  let open = 0;
  const { name } = serve({
    bytesPerSecond: () => 40e6,
    lie: (_range, response) => {
      response.once("close", () => open--);
      if (++open === 1) return false;
      refuse(response, 429, "TOOMANYREQUESTS", "one at a time");
      return true;
    },
  });
  await machine.pull(name);
  await expectWhole();
}, 60_000);

test("where several connections are slower than one, one goes on alone", async () => {
  const { name, storage } = serve({ bytesPerSecond: (connections) => (connections === 1 ? 30e6 : 3e6) });
  const start = performance.now();
  await machine.pull(name);
  await expectWhole();
  expect(storage.mostOpen).toBeGreaterThan(1);
  // Together they would need 8 s and more.
  expect(performance.now() - start).toBeLessThan(7000);
}, 60_000);

test("each part that breaks off goes on where it stopped (B8)", async () => {
  const broken = new Set<number>();
  const { name, storage } = serve({
    bytesPerSecond: () => 30e6,
    lie: ({ start, end }, response) => {
      if (start % (16 * mega) !== 0 || broken.has(start)) return false;
      broken.add(start);
      const { bytes } = layerOf(made);
      response.writeHead(206, {
        "content-range": `bytes ${start}-${end - 1}/${bytes.length}`,
        "content-length": end - start,
        etag: '"one"',
      });
      response.write(bytes.subarray(start, start + 3 * mega), () => setTimeout(() => response.destroy(), 100));
      return true;
    },
  });
  await machine.pull(name);
  await expectWhole();
  expect(broken.size).toBeGreaterThan(2);
  // What had come was not asked for again.
  expect(storage.ranges.filter((range) => range?.startsWith("bytes=0-"))).toHaveLength(1);
}, 60_000);

test("a part that is longer than it says is not taken (B1)", async () => {
  const { digest, bytes } = layerOf(made);
  let sentBytes = 0;
  registry.lie = ({ url = "", headers }, response) => {
    if (!url.includes(digest)) return false;
    const start = Number(/^bytes=(\d+)-/.exec(headers.range ?? "")?.[1] ?? 0);
    const end = Math.min(bytes.length, start + 16 * mega);
    response.writeHead(206, { "content-range": `bytes ${start}-${end - 1}/${bytes.length}` });
    const more = (): void => {
      while (!response.destroyed) {
        sentBytes += 65536;
        if (!response.write(Buffer.alloc(65536))) return;
      }
    };
    response.on("drain", more);
    more();
    return true;
  };
  await expect(machine.pull(registry.put("a", "1", made))).rejects.toThrow(/verification failed|unexpected EOF|not asked for/);
  expect(sentBytes).toBeLessThan(4 * bytes.length);
  expect(await machine.leftovers()).toEqual([]);
}, 60_000);

test("a pull in parts that its client leaves ends all its connections, and nothing stays (B9)", async () => {
  const { name, storage } = serve({ bytesPerSecond: () => 2e6 });
  const client = new AbortController();
  const pulling = machine.pull(name, { signal: client.signal }).catch((error: unknown) => error);
  for (const end = Date.now() + 20_000; storage.open < 3 && Date.now() < end;) await Bun.sleep(20);
  expect(storage.open).toBe(3);
  client.abort(new Error("gone"));
  expect(await pulling).toMatchObject({ message: "gone" });
  for (const end = Date.now() + 15_000; storage.open > 0 && Date.now() < end;) await Bun.sleep(20);
  expect(storage.open).toBe(0);
  expect(await machine.leftovers()).toEqual([]);
}, 60_000);

test("a disk that is full in the middle of parts is told, and nothing stays", async () => {
  await using small = await openMachine({ contentKilobytes: 32 << 10 });
  const { name, storage } = serve({ bytesPerSecond: () => 30e6 });
  await expect(small.pull(name)).rejects.toMatchObject({ kind: "unavailable", message: "no space left on device" });
  for (const end = Date.now() + 5000; storage.open > 0 && Date.now() < end;) await Bun.sleep(20);
  expect(storage.open).toBe(0);
  expect(await small.leftovers()).toEqual([]);
}, 60_000);

test("pulls of one large layer at the same time share its connections (B10)", async () => {
  const { name, storage } = serve({ bytesPerSecond: () => 40e6 });
  await Promise.all([machine.pull(name), machine.pull(name)]);
  await expectWhole();
  expect(storage.mostOpen).toBeLessThanOrEqual(3);
  expect(storage.sentBytes).toBe(layerOf(made).bytes.length);
}, 60_000);
