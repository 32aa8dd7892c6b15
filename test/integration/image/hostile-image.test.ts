import { afterAll, afterEach, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pack } from "tar-stream";
import { expectClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { sha256 } from "#lib/digest.ts";
import { dockerArchive, json } from "./fixtures.ts";

let daemon: TestDaemon;
const cli = (...args: string[]) => docker(daemon.host, ...args);
const run = (...args: string[]) => cli("run", "--rm", "--network", "none", ...args);
/** A folder of the host that images try to reach. */
const outside = mkdtempSync(join(tmpdir(), "gantry-outside-"));

beforeAll(async () => {
  daemon = await startDaemon();
  writeFileSync(join(outside, "secret"), "of the host\n");
});
afterEach(async () => {
  await cli("rm", "-f", "one");
  await cli("volume", "prune", "-af");
  expect(readdirSync(outside)).toEqual(["secret"]);
  expect(readFileSync(join(outside, "secret"), "utf8")).toBe("of the host\n");
});
afterAll(async () => {
  await expectClean(daemon);
  await daemon[Symbol.asyncDispose]();
  rmSync(outside, { recursive: true });
});

type Entry = Parameters<ReturnType<typeof pack>["entry"]>[0] & { readonly content?: string | Uint8Array };

const program = readFileSync(Bun.which("busybox") ?? "/bin/busybox");
const applets: Entry[] = ["sh", "cat", "ls", "id", "head", "pwd", "echo", "find"].map((name) => ({
  name: `bin/${name}`,
  type: "symlink",
  linkname: "busybox",
}));
const base: readonly Entry[] = [{ name: "bin/", type: "directory" }, { name: "bin/busybox", mode: 0o755, content: program }, ...applets];

async function layerOf(entries: readonly Entry[]): Promise<Buffer> {
  const archive = pack();
  const chunks: Uint8Array[] = [];
  const reading = (async () => {
    for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  })();
  for (const { content, ...header } of entries) {
    if (content === undefined) archive.entry(header, "");
    else archive.entry(header, Buffer.from(content));
  }
  archive.finalize();
  await reading;
  return Buffer.concat(chunks);
}

/** Loads an image of busybox and some entries under a name. */
async function load(name: string, entries: readonly Entry[], config: object = {}): Promise<void> {
  const tar = await layerOf([...base, ...entries]);
  const diffId = sha256(tar);
  const configuration = json({
    architecture: process.arch === "x64" ? "amd64" : process.arch,
    os: "linux",
    config: { Env: ["PATH=/bin"], ...config },
    rootfs: { type: "layers", diff_ids: [diffId] },
  });
  const made = { config: configuration, manifest: configuration, layers: [{ digest: diffId, bytes: tar, tar, diffId }] };
  const response = await fetch("http://d/images/load", { unix: daemon.socket, method: "POST", body: dockerArchive(made, [`${name}:1`]) });
  expect(await response.text()).toContain(`Loaded image: ${name}:1`);
}

test("fifos, sockets and devices of an image block nothing and cannot be opened (A4)", async () => {
  const device = (name: string, type: "character-device" | "block-device", devmajor: number, devminor: number): Entry => ({
    name,
    type,
    mode: 0o666,
    devmajor,
    devminor,
  });
  await load("special", [
    { name: "fifo", type: "fifo" },
    { name: "etc/", type: "directory" },
    { name: "etc/hosts", type: "fifo" },
    { name: "etc/resolv.conf", type: "fifo" },
    device("mem", "character-device", 1, 1),
    device("kmsg", "character-device", 1, 11),
    device("disk", "block-device", 254, 0),
  ]);
  const start = performance.now();
  const result = await run("special:1", "sh", "-c", "ls -l /fifo /mem | cut -c1; for f in /mem /kmsg /disk; do head -c1 $f; done");
  expect(performance.now() - start).toBeLessThan(10_000);
  expect(result.stderr.match(/Operation not permitted/g)?.length).toBe(3);
}, 30_000);

describe("who a container runs as is looked up in its image, in bounded time and memory (A6)", () => {
  const etc: Entry = { name: "etc/", type: "directory" };
  const residentBytes = (): number => Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${daemon.pid}/status`, "utf8"))?.[1]) * 1024;

  test.each<[string, Entry]>([
    ["a fifo", { name: "etc/passwd", type: "fifo" }],
    ["a device without an end", { name: "etc/passwd", type: "character-device", devmajor: 1, devminor: 5 }],
    ["a link to a device of the host", { name: "etc/passwd", type: "symlink", linkname: "/dev/zero" }],
    ["a link to the host's own", { name: "etc/passwd", type: "symlink", linkname: "../../../../../../etc/passwd" }],
    ["a link to itself", { name: "etc/passwd", type: "symlink", linkname: "passwd" }],
    ["a folder", { name: "etc/passwd/", type: "directory" }],
    ["200 MB of nothing", { name: "etc/passwd", content: Buffer.alloc(200 << 20) }],
  ])(
    "/etc/passwd as %s ends with an error, not with a container that hangs",
    async (_what, entry) => {
      await load("users", [etc, entry]);
      const before = residentBytes();
      const start = performance.now();
      // A user of every Debian host, and of none of these images.
      const result = await cli("run", "--name", "one", "--network", "none", "--user", "games", "users:1", "id", "-u");
      expect(performance.now() - start).toBeLessThan(10_000);
      expect(result.code).not.toBe(0);
      expect(result.stderr).toMatch(/unable to find user games|passwd/);
      expect(residentBytes() - before).toBeLessThan(100 << 20);
      expect((await cli("rm", "one")).stdout).toBe("one\n");
    },
    30_000,
  );
});

test("what a volume takes over and where a program begins is found inside the image (A7)", async () => {
  await load(
    "paths",
    [
      { name: "etc/", type: "directory" },
      { name: "etc/own", content: "of the image\n" },
      { name: "data", type: "symlink", linkname: "/etc" },
      { name: "tmp/", type: "directory" },
      { name: `${outside.slice(1)}/`, type: "directory" },
      { name: "above", type: "symlink", linkname: "../../../../../../etc" },
      { name: "out", type: "symlink", linkname: outside },
      { name: "up", type: "symlink", linkname: `../../../../../../..${outside}` },
    ],
    { Volumes: { "/data": {} } },
  );
  const taken = (await run("paths:1", "ls", "/data")).stdout.split("\n");
  expect(taken).toContain("own");
  expect(taken).not.toContain("passwd"); // which the host's has
  const named = await run("-v", "named:/above", "paths:1", "ls", "/above/");
  expect(named.stdout.split("\n")).toContain("own");
  expect(named.stdout.split("\n")).not.toContain("passwd");
  for (const folder of ["/out/made", "/up/made"]) {
    const { stdout, stderr, code } = await run("-w", folder, "paths:1", "pwd");
    expect({ folder, code, stdout, stderr }).toEqual({ folder, code: 0, stdout: `${outside}/made\n`, stderr: "" });
  }
}, 30_000);

test("the daemon's own files are never made through a link of the image (A5)", async () => {
  const link = (name: string, linkname: string): Entry => ({ name, type: "symlink", linkname });
  await load("links", [
    { name: "etc/", type: "directory" },
    ...["hosts", "hostname", "resolv.conf"].map((name) => link(`etc/${name}`, join(outside, name))),
    link("etc/mtab", join(outside, "mtab")),
    link(".dockerenv", join(outside, "dockerenv")),
  ]);
  await run("links:1", "cat", "/etc/hostname");
  for (const folder of ["dev", "proc", "sys", "etc"]) {
    await load(`link-${folder}`, [link(folder, outside)]);
    await run(`link-${folder}:1`, "ls");
  }
}, 30_000);

test("no program or library of an image is run by the daemon, whatever it is called (A12)", async () => {
  const marker = join(outside, "ran");
  const trap = `#!/bin/sh\necho x > ${marker}; echo x > /ran\n`;
  const names = [
    "tar",
    "gzip",
    "unpigz",
    "pigz",
    "zstd",
    "xz",
    "getent",
    "mount",
    "umount",
    "ps",
    "conmon",
    "crun",
    "runc",
    "gantry",
    "ld.so",
  ];
  const files = names.flatMap((name) =>
    ["bin", "usr/bin", "sbin", "usr/sbin"].map((folder): Entry => ({ name: `${folder}/${name}`, mode: 0o755, content: trap })),
  );
  const libraries = ["libnss_files.so.2", "libc.so.6", "ld-linux-x86-64.so.2"].map((name): Entry => ({
    name: `lib/${name}`,
    mode: 0o755,
    content: trap,
  }));
  const folders = ["usr/", "usr/bin/", "sbin/", "usr/sbin/", "lib/", "etc/"].map((name): Entry => ({ name, type: "directory" }));
  const nss = { name: "etc/nsswitch.conf", content: "passwd: evil\n" };
  await load("traps", [...folders, ...files, ...libraries, nss, { name: "etc/passwd", content: "me:x:7:7::/:/bin/sh\n" }], {
    Volumes: { "/sbin": {} },
  });
  const started = await cli("run", "-d", "--name", "one", "--user", "me", "traps:1", "sh", "-c", "while :; do :; done");
  expect(started.code).toBe(0);
  expect((await cli("exec", "--user", "me", "one", "id", "-u")).stdout).toBe("7\n");
  expect((await cli("top", "one")).stdout).toContain("while :");
  expect((await cli("exec", "--user", "root", "one", "ls", "/")).stdout).not.toContain("ran");
  await cli("stop", "-t", "0", "one");
  expect(existsSync(marker)).toBe(false);
}, 30_000);
