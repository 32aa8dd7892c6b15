import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdtemp, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseDigest, sha256 } from "#lib/digest.ts";
import { silentLogger } from "#lib/log.ts";
import { FileContentStore } from "./store.ts";
import { findBlobDamage } from "./verify.ts";

let root: string;
let store: FileContentStore;

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "gantry-content-"));
  store = await FileContentStore.open(root, silentLogger);
});
afterEach(() => rm(root, { recursive: true, force: true }));

const bytes = Buffer.from("hello, world");

async function put(content: Uint8Array, expected: Parameters<Awaited<ReturnType<FileContentStore["writer"]>>["commit"]>[0] = {}) {
  await using writer = await store.writer();
  await writer.write(content.subarray(0, 5));
  await writer.write(content.subarray(5));
  return await writer.commit(expected); // before the writer is disposed
}

test("a committed blob is there under its digest, whole", async () => {
  const blob = await put(bytes, { digest: sha256(bytes), sizeBytes: bytes.length });
  expect(blob).toEqual({ digest: sha256(bytes), sizeBytes: bytes.length });
  expect(await store.info(blob.digest)).toEqual(blob);
  expect(Buffer.from(await store.read(blob.digest, 100))).toEqual(bytes);
  expect(await readdir(store.temporary)).toEqual([]);
});

test("without an expectation the computed digest is taken", async () => {
  expect((await put(bytes)).digest).toBe(sha256(bytes));
});

test("sha512 is checked when it is expected", async () => {
  const digest = parseDigest(`sha512:${new Bun.CryptoHasher("sha512").update(bytes).digest("hex")}`);
  expect((await put(bytes, { digest })).digest).toBe(digest);
  expect(await store.info(digest)).toEqual({ digest, sizeBytes: bytes.length });
  expect(findBlobDamage([{ path: store.path(digest), digest }])).toEqual([null]);
});

test.each([
  ["digest", { digest: sha256("other") }],
  ["sha512 digest", { digest: parseDigest(`sha512:${"0".repeat(128)}`) }],
  ["size", { sizeBytes: 3 }],
])("a wrong %s is refused and nothing stays", async (_, expected) => {
  await expect(put(bytes, expected)).rejects.toMatchObject({ kind: "invalid" });
  expect(await store.info(sha256(bytes))).toBeUndefined();
  expect(await readdir(store.temporary)).toEqual([]);
});

test("committing a blob that exists is a success", async () => {
  await put(bytes);
  expect((await put(bytes)).sizeBytes).toBe(bytes.length);
});

test("a writer that is not committed leaves nothing", async () => {
  {
    await using writer = await store.writer();
    await writer.write(bytes);
  }
  expect(await readdir(store.temporary)).toEqual([]);
});

test("an empty blob is a blob", async () => {
  expect(await put(Buffer.alloc(0))).toEqual({ digest: sha256(""), sizeBytes: 0 });
});

test("reading a missing or too large blob is refused by kind", async () => {
  await expect(store.read(sha256("missing"), 100)).rejects.toMatchObject({ kind: "not_found" });
  const { digest } = await put(bytes);
  await expect(store.read(digest, 5)).rejects.toMatchObject({ kind: "too_large" });
});

test("findBlobDamage() names what is changed, and what is missing", async () => {
  const [whole, changed] = [await put(bytes), await put(Buffer.from("second"))];
  await writeFile(store.path(changed.digest), "Second");
  const checks = [whole.digest, changed.digest, sha256("missing")].map((digest) => ({ path: store.path(digest), digest }));
  expect(findBlobDamage(checks)).toEqual([
    null,
    { isMissing: false, reason: "its content has another digest" },
    { isMissing: true, reason: "it is missing" },
  ]);
});

test("a damaged document is not read as what its name says (A10)", async () => {
  const { digest } = await put(bytes);
  await writeFile(store.path(digest), "Hello, world");
  await expect(store.read(digest, 100)).rejects.toMatchObject({ kind: "internal", message: expect.stringContaining(digest) });
});

test("a blob that was set aside is not there until it is written again, also after a restart", async () => {
  const { digest } = await put(bytes);
  await store.quarantine(digest);
  store = await FileContentStore.open(root, silentLogger);
  expect([await store.info(digest), await store.isQuarantined(digest)]).toEqual([undefined, true]);
  expect(await Array.fromAsync(store.list())).toEqual([]);
  expect(await Array.fromAsync(store.quarantined())).toEqual([{ digest, sizeBytes: bytes.length }]);
  await put(bytes);
  expect([await store.info(digest), await store.isQuarantined(digest)]).toEqual([{ digest, sizeBytes: bytes.length }, false]);
  expect(await Array.fromAsync(store.quarantined())).toEqual([]);
});

test("a removal takes along what was set aside", async () => {
  const { digest } = await put(bytes);
  await store.quarantine(digest);
  await store.remove(digest);
  expect(await store.isQuarantined(digest)).toBe(false);
});

test("whoever needs room after a removal finds it on the disk", async () => {
  const { digest } = await put(bytes);
  await store.remove(digest);
  await store.temporaryFolder();
  expect((await readdir(root, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())).toEqual([]);
});

test("list() names every blob and nothing else; a removed one is gone", async () => {
  const one = await put(bytes);
  const two = await put(Buffer.from("second"));
  await writeFile(join(root, "blobs/sha256/strange"), "x");
  const listed = await Array.fromAsync(store.list());
  expect(listed.map(({ digest }) => digest).sort()).toEqual([one.digest, two.digest].sort());
  await store.remove(one.digest);
  await store.remove(one.digest);
  expect(await store.info(one.digest)).toBeUndefined();
});

test("what a kill left of work and of removals is gone after the next start, blobs stay (F2)", async () => {
  const { digest } = await put(bytes);
  await writeFile(join(store.temporary, "half"), "x");
  await writeFile(join(root, "removed/whole"), "x");
  store = await FileContentStore.open(root, silentLogger);
  expect(await readdir(await store.temporaryFolder())).toEqual([]);
  expect(await readdir(join(root, "removed"))).toEqual([]);
  expect(await store.info(digest)).toBeDefined();
});

test("a removal is in force as soon as it is asked for, and does not take what comes after it", async () => {
  const { digest } = await put(bytes);
  const removals = [store.remove(digest), store.remove(digest)];
  expect(await store.info(digest)).toBeUndefined();
  const again = put(bytes);
  await Promise.all([...removals, again]);
  expect(await store.info(digest)).toBeDefined();
});
