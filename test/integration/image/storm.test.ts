import { afterAll, beforeAll, expect, test } from "bun:test";
import { randomBytes } from "node:crypto";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { expectClean, endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { until } from "../../support/until.ts";
import { Disk } from "../system/disk.ts";
import { dockerArchive, image, ociArchive, tar, type FixtureImage } from "./fixtures.ts";
import { TestRegistry } from "./registry.ts";

/** `GANTRY_STORM_ROUNDS=500 bun test test/integration/image/storm.test.ts` for a night. */
const rounds = Number(process.env["GANTRY_STORM_ROUNDS"] ?? 20);
/** What goes on at once. */
const workers = 4;
const longestMilliseconds = 700;
/** After so many rounds everything is removed, and loaded and pulled anew. */
const clearEvery = 4;

const base = { base: randomBytes(400_000), "etc/": "" };
const remote = Array.from({ length: 4 }, (_, index) => image([base, { shared: "1" }, { [`own${index}`]: randomBytes(1_500_000) }]));
const local = Array.from({ length: 3 }, (_, index) => image([base, { [`local${index}`]: randomBytes(1_000_000) }]));
const root = tar({ root: randomBytes(800_000) });

let daemon: TestDaemon;
let registry: TestRegistry;
let names: string[];

beforeAll(async () => {
  registry = await TestRegistry.start();
  names = remote.map((made, index) => registry.put(`app${index}`, "1", made));
});
afterAll(async () => {
  await registry[Symbol.asyncDispose]();
});

const pick = <T>(items: readonly T[]): T => items[Math.floor(Math.random() * items.length)]!;

/** One call; `undefined` when the daemon has died, or the client has gone. */
async function call(
  method: string,
  path: string,
  body?: Buffer,
  signal?: AbortSignal,
): Promise<{ status: number; text: string } | undefined> {
  try {
    const headers = { "X-Registry-Auth": "e30=", "Content-Type": body ? "application/x-tar" : "application/json" };
    const answer = await fetch(`http://d${path}`, {
      unix: daemon.socket,
      method,
      headers,
      ...(body && { body }),
      ...(signal && { signal }),
    });
    return { status: answer.status, text: await answer.text() };
  } catch {
    return undefined;
  }
}

const archives: readonly ((made: FixtureImage, tag: string) => Buffer)[] = [
  (made, tag) => dockerArchive(made, [tag]),
  (made, tag) => ociArchive(made, { "io.containerd.image.name": `docker.io/library/${tag}` }),
];
const anyName = (): string =>
  pick([...names, "local0:1", "local1:1", "local2:1", "import:1", "commit:1", "other:1", `${registry.host}/pushed:1`]);
const split = (name: string): string => `fromImage=${name.slice(0, name.lastIndexOf(":"))}&tag=${name.slice(name.lastIndexOf(":") + 1)}`;

const operations: readonly ((signal: AbortSignal) => ReturnType<typeof call>)[] = [
  (signal) => call("POST", `/images/create?${split(pick(names))}`, undefined, signal),
  (signal) => call("POST", `/images/create?${split(pick(names))}`, undefined, signal),
  (signal) => {
    const index = Math.floor(Math.random() * local.length);
    return call("POST", "/images/load", pick(archives)(local[index]!, `local${index}:1`), signal);
  },
  (signal) => call("POST", "/images/create?fromSrc=-&repo=import&tag=1", root, signal),
  (signal) => call("POST", "/commit?container=keeper&repo=commit&tag=1", undefined, signal),
  () => call("POST", `/images/${anyName()}/tag?repo=${pick(["other", `${registry.host}/pushed`])}&tag=1`),
  (signal) => call("POST", `/images/${registry.host}/pushed/push?tag=1`, undefined, signal),
  () => call("DELETE", `/images/${anyName()}`),
  () => call("DELETE", `/images/${anyName()}?force=1`),
  () => call("POST", `/images/prune?filters=${encodeURIComponent('{"dangling":["false"]}')}`),
  () => call("POST", "/gantry/images/gc?force=1"),
  (signal) => call("POST", "/gantry/images/verify", undefined, signal),
];

/** Works until the daemon is dead. @returns answers that no request may get */
async function work(isOver: () => boolean, disk: Disk | undefined): Promise<string[]> {
  const faults: string[] = [];
  while (!isOver()) {
    const client = AbortSignal.timeout(pick([50, 200, 10_000, 10_000]));
    const operation = pick(operations);
    const answer = await operation(client);
    if (answer && isFault(answer) && !(disk && isDiskFull(answer)))
      faults.push(`${operation.toString()}: ${answer.status} ${answer.text.slice(-500)}`);
  }
  return faults;
}

/** Somebody may have removed what it was about; all else must work, or be refused. */
function isFault({ status, text }: { readonly status: number; readonly text: string }): boolean {
  if (/removed meanwhile|no such image|does not exist/i.test(text)) return false;
  return status >= 500 || text.includes('"error":') || text.includes('"State":');
}

const isDiskFull = ({ text }: { readonly text: string }): boolean => /no space left on device|disk is full/i.test(text);

interface Report {
  readonly Images: readonly { readonly Id: string; readonly RepoTags: readonly string[]; readonly Damages: readonly unknown[] }[];
  readonly Others: { readonly Layers: number; readonly Blobs: number; readonly Damages: readonly unknown[] };
}

async function verifyAll(): Promise<Report> {
  const { text } = (await call("POST", "/gantry/images/verify"))!;
  return (JSON.parse(text.trim().split("\n").at(-1)!) as { aux: Report }).aux;
}

const namesIn = (folder: string): string[] => readdirSync(join(daemon.dataRoot, folder)).map((name) => `${folder}/${name}`);

/** After a start of the daemon. */
async function expectWhole(): Promise<void> {
  const report = await verifyAll();
  expect(report.Images.filter(({ Damages }) => Damages.length > 0)).toEqual([]);
  expect(report.Others).toMatchObject({ Layers: 0, Blobs: 0, Damages: [] });
  const listed = JSON.parse((await call("GET", "/images/json?all=1"))!.text) as { Id: string }[];
  expect(listed.map(({ Id }) => Id).sort()).toEqual(report.Images.map(({ Id }) => Id).sort());
  for (const { Id } of listed) {
    expect([await call("GET", `/images/${Id}/json`), Id]).toEqual([expect.objectContaining({ status: 200 }), Id]);
    expect(await call("GET", `/images/${Id}/history`)).toMatchObject({ status: 200 });
  }
  const folders = ["content/tmp", "content/removed", "content/damaged/sha256", "layers/tmp", "layers/damaged", "layers/replaced"];
  const left = () => folders.flatMap((folder) => namesIn(folder));
  await until(() => left().length === 0, 10_000).catch(() => {}); // files of removed layers go beside the daemon's work
  expect(left()).toEqual([]);
  await expectClean(daemon);
}

/** Everything that is listed can be removed, and had again. */
async function clear(): Promise<void> {
  await call("DELETE", "/containers/keeper?force=1");
  for (const { Id } of JSON.parse((await call("GET", "/images/json?all=1"))!.text) as { Id: string }[])
    expect([200, 404]).toContain((await call("DELETE", `/images/${Id}?force=1`))!.status); // 404: gone with its child
  expect((await call("GET", "/images/json?all=1"))!.text.trim()).toBe("[]");
  const left = () => ["layers/chains", "layers/tars", "layers/mounts", "content/blobs/sha256"].flatMap((folder) => namesIn(folder));
  await until(() => left().length === 0, 10_000).catch(() => {}); // the layers of a container go after its removal is answered
  expect(left()).toEqual([]);
}

async function keeper(): Promise<void> {
  expect((await call("POST", "/images/load", dockerArchive(local[0]!, ["local0:1"])))!.text).toContain("Loaded image");
  const body = Buffer.from(JSON.stringify({ Image: "local0:1", Cmd: ["/x"], HostConfig: { NetworkMode: "none" } }));
  const made = await fetch("http://d/containers/create?name=keeper", {
    unix: daemon.socket,
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body,
  });
  expect(made.status).toBe(201);
}

/** @param disk  what the data root lies on, if it is to be full now and then */
async function storm(rounds: number, disk?: Disk): Promise<void> {
  await keeper();
  for (let round = 1; round <= rounds; round++) {
    let isOver = false;
    const working = Array.from({ length: workers }, () => work(() => isOver, disk));
    await Bun.sleep(20 + Math.random() * longestMilliseconds);
    if (round % 2 === 0) disk?.fill();
    if (disk) await Bun.sleep(Math.random() * 200);
    isOver = true;
    await daemon.kill();
    expect((await Promise.all(working)).flat()).toEqual([]);
    await daemon.start();
    await expectWhole();
    disk?.free();
    if (round % clearEvery !== 0) continue;
    await clear();
    await keeper();
    for (const name of names)
      expect((await call("POST", `/images/create?${split(name)}`))!.text).toContain("Status: Downloaded newer image");
    await expectWhole();
  }
  await clear();
}

test(
  "F1, F2: killed at any moment of whatever is done with images, each is whole or absent, and nothing is left over",
  async () => {
    daemon = await startDaemon();
    try {
      await storm(rounds);
    } finally {
      await endClean(daemon);
    }
  },
  60_000 + rounds * 15_000,
);

test(
  "G1, G3: the same on a disk that is full now and then, also at the start",
  async () => {
    using disk = new Disk("40M");
    daemon = await startDaemon({ dataRoot: join(disk.path, "data") });
    try {
      await storm(Math.ceil(rounds / 2), disk);
    } finally {
      disk.free();
      await endClean(daemon);
    }
  },
  60_000 + rounds * 15_000,
);
