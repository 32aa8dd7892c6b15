import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtemp, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { SeccompCache } from "./cache.ts";

let root: string;
let program: string;

beforeAll(async () => {
  root = await mkdtemp(`${tmpdir()}/seccomp-cache-`);
  program = `${root}/seccomp.bpf`;
  await writeFile(program, Buffer.alloc(16, 7));
});
afterAll(() => rm(root, { recursive: true, force: true }));

test("a program is kept once by starts at the same time, and is there for the next daemon", async () => {
  const folder = `${root}/cache`;
  const cache = new SeccompCache(folder, "crun 1");
  await cache.load();
  await Promise.all(Array.from({ length: 8 }, () => cache.keep("key", program)));
  expect(await readdir(folder)).toEqual(["key.bpf"]);
  const next = new SeccompCache(folder, "crun 1");
  await next.load();
  expect(next.get("key")).toBe(Buffer.alloc(16, 7).toString("base64"));
});

test("a folder that cannot be written to costs no start", async () => {
  const cache = new SeccompCache(`${root}/missing`, "crun 1");
  await cache.keep("key", program);
  expect(cache.get("key")).toBe(Buffer.alloc(16, 7).toString("base64"));
});

test("a runtime that leaves no program is no error", async () => {
  const cache = new SeccompCache(`${root}/none`, "runc 1");
  await cache.keep("key", `${root}/no-such-program`);
  expect(cache.get("key")).toBeUndefined();
});

test.each<[string, (file: Buffer) => Buffer]>([
  ["emptied", () => Buffer.alloc(0)],
  ["halved", (file) => file.subarray(0, file.length / 2)],
  ["zeroed by a power loss", (file) => Buffer.alloc(file.length)],
  ["changed in one bit", (file) => Buffer.from(file.map((byte, index) => (index === file.length - 1 ? byte ^ 1 : byte)))],
])("a program that was %s is compiled again (F12)", async (_what, damage) => {
  const folder = `${root}/damaged`;
  const cache = new SeccompCache(folder, "crun 1");
  await cache.load();
  await cache.keep("key", program);
  const path = `${folder}/key.bpf`;
  await writeFile(path, damage(await readFile(path)));
  const next = new SeccompCache(folder, "crun 1");
  await next.load();
  expect(next.get("key")).toBeUndefined();
});
