import { afterAll, beforeAll, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { archive, member, readAll } from "../../../src/lib/tar/fixtures.ts";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { loadBusybox } from "../../support/images.ts";
import { Copies } from "./archive-support.ts";

let daemon: TestDaemon;
let copies: Copies;
let secret: string;

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
  copies = new Copies(daemon);
  secret = mkdtempSync(join(tmpdir(), "gantry-secret-"));
  mkdirSync(join(secret, "d"));
  for (const name of ["f", "d/f"]) writeFileSync(join(secret, name), "HOST");
}, 60_000);
afterAll(async () => {
  rmSync(secret, { recursive: true, force: true });
  await endClean(daemon);
}, 60_000);

const milliseconds = 3000;

/** Exchanges the directory d and the link l for a while, as fast as it goes, and prints how often. Source: renameat2(2), RENAME_EXCHANGE. */
const exchange = `
  const { dlopen } = require("bun:ffi");
  const libc = dlopen("libc.so.6", { renameat2: { args: ["i32", "ptr", "i32", "ptr", "u32"], returns: "i32" } }).symbols;
  const [folder, time] = process.argv.slice(1);
  const [d, l] = [Buffer.from(folder + "/d\\0"), Buffer.from(folder + "/l\\0")];
  let swaps = 0;
  for (const end = performance.now() + Number(time); performance.now() < end;)
    for (let i = 0; i < 100; i++) if (libc.renameat2(-100, d, -100, l, 2) === 0) swaps++;
  console.log(swaps);`;

/** The place is that of the container's first process: in its root file system, its volume or its tmpfs. */
async function attack(id: string, folder: string, link: string): Promise<Record<string, number>> {
  await copies.shell(id, `mkdir -p ${folder}/d; echo inside >${folder}/d/f; ln -s ${link} ${folder}/l`);
  const { body } = await daemon.request("GET", `/containers/${id}/json`);
  const { Pid } = (body as { State: { Pid: number } }).State;
  const child = Bun.spawn([process.execPath, "-e", exchange, `/proc/${Pid}/root${folder}`, String(milliseconds)], {
    stdout: "pipe",
    stderr: "inherit",
  });
  const counts: Record<string, number> = { reads: 0, writes: 0, missed: 0, escaped: 0 };
  const count = (what: string): void => void (counts[what] = (counts[what] ?? 0) + 1);
  const attempts = async (): Promise<void> => {
    while (child.exitCode === null) {
      const out = await copies.get(id, `${folder}/d/f`);
      if (!out.ok) count((await out.text()) === "" ? "odd" : "missed");
      else count(readAll(Buffer.from(await out.arrayBuffer()))[0]?.content.toString() === "HOST" ? "escaped" : "reads");
      const into = await copies.put(id, `${folder}/d`, archive(member("w", {}, "x"), member("sub/deep", {}, "x")));
      count(into.ok ? "writes" : "missed");
      await into.arrayBuffer();
    }
  };
  await Promise.all([attempts(), attempts()]);
  counts["swaps"] = Number(await new Response(child.stdout).text());
  return counts;
}

test.each([
  ["the root file system, by an absolute link", "/r", false],
  ["the root file system, by a relative link", "/q", true],
  ["a volume", "/v", true],
  ["a tmpfs", "/t", true],
])(
  "a directory of %s that is exchanged with a link to the host never leads out (A11)",
  async (_where, folder, relative) => {
    const id = await copies.run({ Volumes: { "/v": {} }, HostConfig: { Tmpfs: { "/t": "" } } });
    const counts = await attack(id, folder, relative ? `../../../../../../../../../../..${secret}` : secret);
    expect(counts["escaped"]).toBe(0);
    expect(counts["odd"]).toBeUndefined();
    for (const what of ["reads", "writes", "missed"]) expect(counts[what]).toBeGreaterThan(20);
    expect(counts["swaps"]).toBeGreaterThan(20_000);
    expect([existsSync(join(secret, "w")), existsSync(join(secret, "sub"))]).toEqual([false, false]);
    await copies.remove(id);
  },
  30_000,
);
