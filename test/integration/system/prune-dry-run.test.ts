import { afterAll, beforeAll, expect, test } from "bun:test";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker, runWithInput } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";

let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);

beforeAll(async () => {
  daemon = await startDaemon();
});
afterAll(() => endClean(daemon));

interface Item {
  readonly Id: string;
  readonly Names: readonly string[];
  readonly Size: number;
}
type Plan = Readonly<Partial<Record<"Containers" | "Networks" | "Volumes" | "Images", readonly Item[]>>> & {
  readonly SpaceReclaimed: number;
};
type Report = Readonly<Record<string, unknown>> & { readonly SpaceReclaimed?: number; readonly Items?: readonly Item[] };

/** Numbers that are the same every time: mulberry32. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

/** Containers, images that stand on each other, volumes and networks, some with a label, some in use. */
async function furnish(pick: (below: number) => number): Promise<void> {
  await loadBusybox(daemon);
  const label = (): string[] => (pick(2) ? ["--label", `kind=${pick(2) ? "a" : "b"}`] : []);
  const bases = [busybox];
  for (let count = 0; count < 4; count++) {
    const base = bases[pick(bases.length)] ?? busybox;
    const { stdout } = await cli("create", ...label(), "--network", "none", base, "true");
    await runWithInput(daemon.host, await fileArchive(`f${count}`, "x".repeat(1000 * (1 + pick(5)))), "cp", "-", `${stdout.trim()}:/`);
    const name = pick(3) ? [`made-${count}:${pick(2)}`] : [];
    const change = pick(2) ? ["--change", `LABEL kind=${pick(2) ? "a" : "b"}`] : [];
    const made = (await cli("commit", ...change, stdout.trim(), ...name)).stdout.trim();
    if (name.length > 0 && pick(2)) await cli("tag", made, `also-${count}:1`);
    bases.push(made);
    if (pick(2)) await cli("rm", stdout.trim());
  }
  await cli("run", "-d", "-v", "used:/data", "-v", "/anonymous", "--network", "none", busybox, "sleep", "1000");
  await cli(
    "create",
    ...label(),
    "-v",
    "held:/data",
    "-v",
    "/anonymous",
    "--network",
    "none",
    bases[pick(bases.length)] ?? busybox,
    "true",
  );
  for (const name of ["one", "two", "three"]) {
    await cli("volume", "create", ...label(), name);
    await cli("network", "create", ...label(), `net-${name}`);
  }
  await cli("volume", "create", ...label());
}

async function fileArchive(name: string, text: string): Promise<Uint8Array> {
  const child = Bun.spawn([
    "sh",
    "-c",
    `cd "$(mktemp -d)" && printf %s "$1" >"$2" && tar -cf - "$2" && rm "$2" && rmdir "$PWD"`,
    "sh",
    text,
    name,
  ]);
  return new Uint8Array(await new Response(child.stdout).arrayBuffer());
}

async function idsHere(): Promise<Record<string, string[]>> {
  const [containers, networks, volumes, images] = await Promise.all([
    daemon.request("GET", "/containers/json?all=1"),
    daemon.request("GET", "/networks"),
    daemon.request("GET", "/volumes"),
    daemon.request("GET", "/images/json?all=1"),
  ]);
  const ids = (list: unknown, key = "Id"): string[] => (list as Record<string, string>[]).map((one) => one[key] ?? "").sort();
  const { Volumes } = volumes.body as { Volumes: unknown };
  return { Containers: ids(containers.body), Networks: ids(networks.body), Volumes: ids(Volumes, "Name"), Images: ids(images.body) };
}

const nouns = { Containers: "containers", Networks: "networks", Volumes: "volumes", Images: "images" } as const;
const parameter = (filters: object): string => `filters=${encodeURIComponent(JSON.stringify(filters))}`;

async function prune(noun: keyof typeof nouns, filters: object, dryRun: boolean): Promise<Report> {
  const { status, body } = await daemon.request("POST", `/v1.51/${nouns[noun]}/prune?${parameter(filters)}${dryRun ? "&dry-run=1" : ""}`);
  expect(status).toBe(200);
  return body as Report;
}

/** All images that go are listed, also those that go with others. */
const deletedImages = ({ ImagesDeleted }: Report): string[] =>
  ((ImagesDeleted ?? []) as { Deleted?: string }[]).flatMap(({ Deleted }) => Deleted ?? []);

test.each([1, 2, 3, 4, 5, 6])(
  "whatever the filters, a prune takes exactly what its dry run listed, and frees what it said (IMG-44), world %d",
  async (seed) => {
    const pick = numbers(seed);
    await furnish(pick);
    const label = [{}, { label: ["kind=a"] }, { "label!": ["kind=a"] }, { label: ["kind"] }][pick(4)] ?? {};
    const time = [{}, {}, { until: ["1h"] }, { until: [String(Math.floor(Date.now() / 1000) + 5)] }][pick(4)] ?? {};
    for (const noun of ["Images", "Volumes", "Networks", "Containers", "Images", "Volumes"] as const) {
      const own =
        noun === "Images" ? { ...time, dangling: [String(pick(2) === 0)] } : noun === "Volumes" ? { all: [String(pick(2) === 0)] } : time;
      const filters = { ...label, ...own };
      const before = await idsHere();
      const planned = await prune(noun, filters, true);
      expect(await idsHere()).toEqual(before);
      const { DryRun, Items = [], ...said } = planned;
      expect(DryRun).toBe(true);
      const done = await prune(noun, filters, false);
      expect<unknown>({ SpaceReclaimed: 0, ...done }).toEqual(said);
      const gone = new Set(noun === "Images" ? deletedImages(planned) : Items.map(({ Id }) => Id));
      expect(await idsHere()).toEqual({ ...before, [noun]: (before[noun] ?? []).filter((id) => !gone.has(id)) });
    }
    await clear();
  },
  120_000,
);

test.each([7, 8])(
  "a dry run of all nouns knows that what a removed container held is free for those that follow, world %d",
  async (seed) => {
    const pick = numbers(seed);
    await furnish(pick);
    const label = [{}, { "label!": ["kind=a"] }][pick(2)] ?? {};
    const filters = { ...label, dangling: ["false"] };
    const plan = (await daemon.request("GET", `/v1.51/gantry/prune?of=container&of=network&of=volume&of=image&${parameter(filters)}`))
      .body as Plan;
    const reports = [
      await prune("Containers", label, false),
      await prune("Networks", label, false),
      await prune("Volumes", label, false),
      await prune("Images", filters, false),
    ];
    expect(reports.reduce((sum, { SpaceReclaimed = 0 }) => sum + SpaceReclaimed, 0)).toBe(plan.SpaceReclaimed);
    expect(plan.Containers?.map(({ Id }) => Id)).toEqual((reports[0]?.["ContainersDeleted"] ?? []) as string[]);
    expect(plan.Networks?.flatMap(({ Names }) => Names)).toEqual((reports[1]?.["NetworksDeleted"] ?? []) as string[]);
    expect(plan.Volumes?.map(({ Id }) => Id)).toEqual(reports[2]?.["VolumesDeleted"] as string[]);
    const images = new Set(deletedImages(reports[3] ?? {}));
    for (const { Id, Names } of plan.Images ?? []) expect(images.has(Id) || Names.length > 0).toBe(true);
    await clear();
  },
  120_000,
);

const gantry = async (...args: string[]) => {
  const child = Bun.spawn([process.execPath, `${import.meta.dir}/../../../src/main.ts`, "-H", daemon.host, ...args], {
    stdin: "ignore",
    stdout: "pipe",
    stderr: "pipe",
  });
  const [stdout, stderr] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  return { stdout, stderr, code: await child.exited };
};

test("gantry prune --dry-run lists names and sizes without a question, and removes nothing", async () => {
  await loadBusybox(daemon);
  await cli("create", "--name", "idle", "-v", "kept:/data", "--network", "none", busybox, "true");
  const before = await idsHere();
  const said = await gantry("system", "prune", "--dry-run", "-a");
  expect(said.stderr).toBe("");
  expect(said.stdout).toMatch(/^Containers that would be deleted:\nID {13}NAME {6}SIZE\n[0-9a-f]{12} {3}idle {6}0B\n/);
  expect(said.stdout).toMatch(/\nImages that would be deleted:\nID {13}NAMES {12}SIZE\n[0-9a-f]{12} {3}busybox:latest {3}[\d.]+MB\n/);
  expect(said.stdout).toMatch(/\nTotal reclaimable space: [\d.]+MB\n$/);
  const plan = JSON.parse((await gantry("volume", "prune", "--dry-run", "--all", "--format", "json")).stdout) as Plan;
  expect(plan).toEqual({ Volumes: [], SpaceReclaimed: 0 });
  expect(await idsHere()).toEqual(before);
  expect(await gantry("image", "prune", "--format", "json")).toMatchObject({ code: 1, stderr: "--format is for --dry-run\n" });
  await clear();
});

/** Another daemon's own `dry-run=1` would be a prune. */
test("a dry run at a daemon that knows none is an error, and no prune", async () => {
  const asked: string[] = [];
  await using server = {
    web: Bun.serve({
      port: 0,
      hostname: "127.0.0.1",
      fetch: ({ method, url }) => {
        asked.push(`${method} ${new URL(url).pathname.replace(/^\/v[\d.]+/, "")}`);
        return Response.json({ message: "page not found" }, { status: url.endsWith("/_ping") ? 200 : 404 });
      },
    }),
    [Symbol.asyncDispose]: () => server.web.stop(true),
  };
  const child = Bun.spawn(
    [
      process.execPath,
      `${import.meta.dir}/../../../src/main.ts`,
      "-H",
      `tcp://127.0.0.1:${server.web.port}`,
      "system",
      "prune",
      "--dry-run",
    ],
    { stdin: "ignore", stdout: "pipe", stderr: "pipe" },
  );
  expect(await child.exited).toBe(1);
  expect(asked.filter((one) => one.startsWith("POST"))).toEqual([]);
});

async function clear(): Promise<void> {
  const ids = (await cli("ps", "-aq")).stdout.split("\n").filter(Boolean);
  if (ids.length > 0) await cli("rm", "-fv", ...ids);
  await cli("system", "prune", "-af");
  await cli("volume", "prune", "-af");
}
