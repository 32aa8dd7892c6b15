import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { until } from "../../support/until.ts";
import { dockerArchive, image, type FixtureImage } from "./fixtures.ts";
import { lines, openMachine, type Machine } from "./machine.ts";
import { refuse, TestRegistry, type SeenRequest } from "./registry.ts";

// A large layer of which only the tar is kept is sent while it is compressed.
const mega = 1 << 20;
let made: FixtureImage;
let machine: Machine;
let registry: TestRegistry;
let name: string;

beforeAll(() => {
  made = image([{ text: "a line that is there again and again\n".repeat(100_000), noise: randomBytes(16 * mega) }], { compress: "none" });
});
beforeEach(async () => {
  machine = await openMachine();
  registry = await TestRegistry.start();
  name = `${registry.host}/a:1`;
  await machine.load(dockerArchive(made, [name]));
});
afterEach(async () => {
  expect(registry.uploads.openCount).toBe(0);
  expect(readdirSync(machine.content.temporary)).toEqual([]);
  await registry[Symbol.asyncDispose]();
  await machine[Symbol.asyncDispose]();
});
afterAll(() => {
  made = image([]);
});

const layer = (): FixtureImage["layers"][number] => {
  const [only] = made.layers;
  if (!only) throw new Error("the image of the test has a layer");
  return only;
};
const requests = (method: string): SeenRequest[] =>
  registry.requests.filter((seen) => seen.method === method && seen.path.includes("/uploads/"));

/** The registry has the layer, and the image's record names it. */
async function expectPushed(): Promise<void> {
  const [digest = ""] = machine.images.find(name).layers.map((one) => one.digest);
  const bytes = registry.blob(digest) ?? Buffer.alloc(0);
  expect(gunzipSync(bytes).equals(layer().tar)).toBe(true);
  expect(registry.manifest("a", "1")?.bytes.toString()).toContain(digest);
  expect(await machine.leftovers()).toEqual([]);
}

test("it arrives in one request whose length nobody knew, and is named at the end (IMG-29, IMG-30)", async () => {
  const messages = await machine.push(name);
  await expectPushed();
  expect(requests("PATCH").map(({ contentLength }) => contentLength)).toEqual([undefined]);
  expect(lines(messages)).toContain(`${layer().diffId.slice(7, 19)}: Pushed`);
  const bars = messages.filter(({ status }) => status === "Pushing").map(({ progressDetail }) => progressDetail);
  expect(bars.at(-1)).toEqual({ current: layer().tar.length, total: layer().tar.length });
});

test("what was sent so is known the next time", async () => {
  await machine.push(name);
  const before = registry.requests.length;
  const told = lines(await machine.push(name));
  expect(told).toContain(`${layer().diffId.slice(7, 19)}: Layer already exists`);
  expect(registry.requests.slice(before).filter(({ path }) => path.includes("/uploads/"))).toEqual([]);
});

test("broken off in the middle, it goes on where the registry says it stopped", async () => {
  registry.uploads.breaksAfterBytes = 3 * mega;
  const told = lines(await machine.push(name));
  expect(told).toContain(`${layer().diffId.slice(7, 19)}: Retrying in 1 second`);
  await expectPushed();
  expect(requests("POST")).toHaveLength(2); // the layer's, and the config's
});

test("an upload that the registry knows no more begins anew", async () => {
  let isLost = false;
  registry.lie = (request, response) => {
    if (request.method !== "PATCH" || isLost) return false;
    isLost = true;
    registry.uploads.forget();
    refuse(response, 404, "BLOB_UPLOAD_UNKNOWN", "gone");
    return true;
  };
  await machine.push(name);
  await expectPushed();
});

test("a log-in that is asked for in the middle begins the body again", async () => {
  let count = 0;
  registry.lie = ({ method, url = "", headers }, response) => {
    if (url.startsWith("/token")) response.end(JSON.stringify({ token: `token${++count}` }));
    else if (method === "PATCH" && headers.authorization !== "Bearer token2")
      refuse(response, 401, "UNAUTHORIZED", "too old", { "www-authenticate": `Bearer realm="http://${registry.host}/token"` });
    else if (!headers.authorization)
      refuse(response, 401, "UNAUTHORIZED", "who?", { "www-authenticate": `Bearer realm="http://${registry.host}/token"` });
    else return false;
    return true;
  };
  await machine.push(name);
  await expectPushed();
  expect(requests("PATCH").map(({ authorization }) => authorization)).toEqual(["Bearer token1", "Bearer token2"]);
});

test("a registry that answers before it has all of it is told so", async () => {
  registry.lie = ({ method, url = "" }, response) => {
    if (method !== "PATCH") return false;
    response.writeHead(202, { location: url }).end();
    return true;
  };
  const error: unknown = await machine.push(name).catch((thrown: unknown) => thrown);
  expect(String(error)).toMatch(/before it has all of it|unexpected EOF|digest invalid/i);
  expect(await machine.leftovers()).toEqual([]);
}, 60_000);

test("a damaged layer is not given its name", async () => {
  const tar = await machine.snapshots.layerTar(layer().diffId);
  writeFileSync(tar?.path ?? "", randomBytes(tar?.sizeBytes ?? 0));
  await expect(machine.push(name)).rejects.toThrow(/is damaged/);
  expect(registry.manifest("a", "1")).toBeUndefined();
  expect(await machine.leftovers()).toEqual([]);
});

test("a disk that is full in the middle is told, the upload is taken back and nothing stays", async () => {
  await using small = await openMachine({ contentKilobytes: 48 << 10 });
  await small.load(dockerArchive(made, [name]));
  const filler = join(small.content.temporary, "filler");
  writeFileSync(filler, Buffer.alloc(40 * mega));
  await expect(small.push(name)).rejects.toMatchObject({ kind: "unavailable", message: "no space left on device" });
  rmSync(filler);
  expect(registry.manifest("a", "1")).toBeUndefined();
  expect(await small.leftovers()).toEqual([]);
});

test("a push that is given up in the middle takes its upload back and leaves nothing (B9)", async () => {
  const begun = Promise.withResolvers<void>();
  registry.lie = ({ method }) => {
    if (method === "PATCH") begun.resolve(); // and is never answered, never read
    return method === "PATCH";
  };
  const client = new AbortController();
  const pushing = machine.push(name, { signal: client.signal });
  pushing.catch(() => undefined);
  await begun.promise;
  client.abort(new Error("left"));
  await expect(pushing).rejects.toThrow("left");
  await until(() => registry.uploads.openCount === 0, 5000);
  expect(await machine.leftovers()).toEqual([]);
}, 20_000);

test("two registries get it at the same time, compressed once; one that refuses does not end the other's", async () => {
  await using other = await TestRegistry.start();
  await using third = await TestRegistry.start();
  const names = [name, ...[other, third].map(({ host }) => `${host}/a:1`)];
  await machine.load(dockerArchive(made, names));
  third.lie = ({ method }, response) => {
    if (method === "PATCH") refuse(response, 403, "DENIED", "no");
    return method === "PATCH";
  };
  const results = await Promise.allSettled(names.map((each) => machine.push(each)));
  expect(results.map(({ status }) => status)).toEqual(["fulfilled", "fulfilled", "rejected"]);
  await expectPushed();
  expect(other.manifest("a", "1")?.digest).toBe(registry.manifest("a", "1")?.digest ?? "");
}, 30_000);
