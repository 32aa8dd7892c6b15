import { afterAll, beforeAll, beforeEach, expect, test } from "bun:test";
import { existsSync, lstatSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { archive, member } from "../../src/lib/tar/fixtures.ts";

// A daemon that answers every copy with the archive of an attack: our client must write nothing outside the destination (E17).

const main = join(import.meta.dir, "../../src/main.ts");
const folder = mkdtempSync(join(tmpdir(), "gantry-hostile-"));
const socket = join(folder, "hostile.sock");
const secret = join(folder, "secret");
const work = join(folder, "work");
let answer = archive();
let sourceMode = 0o644;
let server: ReturnType<typeof Bun.serve> | undefined;

beforeAll(() => {
  server = Bun.serve({
    unix: socket,
    fetch: ({ url }) => {
      if (url.endsWith("/_ping")) return new Response("OK", { headers: { "Api-Version": "1.51" } });
      const stat = { name: "x", size: 1, mode: sourceMode, mtime: "2026-01-01T00:00:00Z", linkTarget: "" };
      return new Response(answer, {
        headers: {
          "Content-Type": "application/x-tar",
          "X-Docker-Container-Path-Stat": Buffer.from(JSON.stringify(stat)).toString("base64"),
        },
      });
    },
  });
});
afterAll(async () => {
  await server?.stop(true);
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  for (const path of [secret, work]) rmSync(path, { recursive: true, force: true });
  mkdirSync(join(secret, "deep"), { recursive: true });
  for (const name of ["f", "deep/f"]) writeFileSync(join(secret, name), "mine", { mode: 0o600 });
  mkdirSync(join(work, "out"), { recursive: true });
  writeFileSync(join(work, "beside"), "mine");
});

async function copy(bytes: Buffer, mode: number, destination: string): Promise<number> {
  [answer, sourceMode] = [bytes, mode];
  const child = Bun.spawn([process.execPath, main, "-H", `unix://${socket}`, "cp", "c:/x", destination], {
    cwd: work,
    stdio: ["ignore", "ignore", "ignore"],
  });
  return child.exited;
}

const directory = 2 ** 31 + 0o755;
const up = "../".repeat(15);
const link = (name: string, target: string): Buffer => member(name, { type: "symlink", link: target });
const hard = (name: string, target: string): Buffer => member(name, { type: "hardlink", link: target });

/** Each in the folder `x`, which the destination becomes or holds. */
const attacks: readonly (readonly [string, readonly Buffer[]])[] = [
  ["a name with ..", [member(`x/../../secret/new`, {}, "evil")]],
  ["a name that only begins with ..", [member(`${up}${secret.slice(1)}/new`, {}, "evil")]],
  ["an absolute name", [member(`${secret}/new`, {}, "evil")]],
  ["an absolute link as parent", [link("x/l", secret), member("x/l/new", {}, "evil"), member("x/l/f", {}, "evil")]],
  ["a relative link as parent", [link("x/l", "../../secret"), member("x/l/new", {}, "evil"), member("x/l/f", {}, "evil")]],
  ["a link of two steps", [link("x/a", ".."), link("x/b", "a/../../secret"), member("x/b/new", {}, "evil")]],
  ["the copy itself a link", [link("x", secret), member("x/new", {}, "evil"), member("x/f", {}, "evil")]],
  ["a link that is written through", [link("x/l", `${secret}/f`), member("x/l", {}, "evil")]],
  ["a directory over a link", [link("x/l", secret), member("x/l/", { mode: 0o777 }), member("x/l/new", {}, "evil")]],
  [
    "mode and time of a link",
    [member("x/l", { type: "symlink", link: `${secret}/f`, mode: 0o777, modified: { seconds: 1, nanoseconds: 0 } })],
  ],
  ["a hard link to an absolute name", [hard("x/h", `${secret}/f`), member("x/h", {}, "evil")]],
  ["a hard link with ..", [hard("x/h", "x/../../secret/f"), member("x/h", {}, "evil")]],
  ["a hard link through a link", [link("x/l", secret), hard("x/h", "x/l/f"), member("x/h", {}, "evil")]],
  ["a hard link to a link, written to", [link("x/l", `${secret}/f`), hard("x/h", "x/l"), member("x/h", {}, "evil")]],
  ["another name than was asked for", [member("beside", {}, "evil"), member("other", {}, "evil")]],
  ["a NUL in a name", [member("x/a\0b", {}, "evil")]],
];

test.each(attacks)("%s writes nothing outside the destination (E17)", async (_what, members) => {
  const before = lstatSync(join(secret, "f"));
  for (const [destination, mode] of [
    ["new", directory],
    ["new", 0o644],
    ["out", directory],
    ["out/new", directory],
  ] as const) {
    // The first entries of an honest archive are let pass.
    await copy(archive(member("x/"), ...members), mode, destination);
    await copy(archive(...members), mode, destination);
    expect(readdirSync(secret).toSorted()).toEqual(["deep", "f"]);
    expect(readFileSync(join(secret, "f"), "utf8")).toBe("mine");
    expect(readFileSync(join(secret, "deep/f"), "utf8")).toBe("mine");
    const { mode: modeNow, nlink, mtimeMs } = lstatSync(join(secret, "f"));
    expect({ mode: modeNow, nlink, mtimeMs }).toEqual({ mode: before.mode, nlink: 1, mtimeMs: before.mtimeMs });
    expect(readFileSync(join(work, "beside"), "utf8")).toBe("mine");
    expect(existsSync(join(work, "other"))).toBe(false);
    for (const name of ["new"]) rmSync(join(work, name), { recursive: true, force: true });
  }
});

test("an honest archive arrives: files, folders, links, a fifo, modes and times", async () => {
  const members = [
    member("x/", { mode: 0o750 }),
    member("x/f", { mode: 0o640 }, "content"),
    member("x/sub/", {}),
    member("x/sub/g", {}, "deep"),
    link("x/l", "/etc/passwd"),
    hard("x/h", "x/f"),
    member("x/fifo", { type: "fifo" }),
  ];
  expect(await copy(archive(...members), directory, "new")).toBe(0);
  const at = (name: string): string => join(work, "new", name);
  expect(readFileSync(at("h"), "utf8")).toBe("content");
  expect(lstatSync(at("f"))).toMatchObject({ nlink: 2, mtimeMs: 1_000_000_000_000 });
  expect(lstatSync(at("f")).mode & 0o7777).toBe(0o640);
  expect(lstatSync(at(".")).mode & 0o7777).toBe(0o750);
  expect(lstatSync(at("l")).isSymbolicLink()).toBe(true);
  expect(lstatSync(at("fifo")).isFIFO()).toBe(true);
  expect(readFileSync(at("sub/g"), "utf8")).toBe("deep");
});

test("a link at the place of the destination is the user's own, and followed", async () => {
  symlinkSync(join(work, "out"), join(work, "here"));
  expect(await copy(archive(member("x", {}, "content")), 0o644, "here")).toBe(0);
  expect(readFileSync(join(work, "out/x"), "utf8")).toBe("content");
});
