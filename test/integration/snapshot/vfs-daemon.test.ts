import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountOverlay, readMounts, unmount } from "#os/mount.ts";
import { endClean, expectClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker } from "../../support/docker.ts";
import { loadBusybox } from "../../support/images.ts";

/** A folder on an overlay, as the data root of a daemon inside of a container is: uppers cannot lie on it. */
function overlayFolder(): { readonly folder: string } & Disposable {
  const work = mkdtempSync(join(tmpdir(), "gantry-vfs-"));
  const [lower, upper, scratch, merged] = ["lower", "upper", "work", "merged"].map((name) => join(work, name)) as [
    string,
    string,
    string,
    string,
  ];
  for (const path of [lower, upper, scratch, merged]) mkdirSync(path);
  mountOverlay({ lowers: [lower], upper, work: scratch, target: merged, options: [] });
  const folder = join(merged, "data");
  mkdirSync(folder);
  return {
    folder,
    [Symbol.dispose]() {
      unmount(merged);
      rmSync(work, { recursive: true });
    },
  };
}

/** What a person sees of a container's files: each line on its own container or what was made of it. */
const session: readonly (readonly string[])[] = [
  [
    "run",
    "--name",
    "one",
    "busybox",
    "sh",
    "-c",
    "echo hi > /new; mkdir -p /d/e; echo x >> /etc/group; rm /bin/vi; ln /new /new2; mv /home /home2",
  ],
  ["diff", "one"],
  ["ps", "-as", "--format", "{{.Names}} {{.Status}} {{.Size}}"],
  ["commit", "one", "changed:1"],
  [
    "run",
    "--rm",
    "changed:1",
    "sh",
    "-c",
    "ls -l /new /new2 | cut -c1-30; ls -d /d/e /home /home2 /bin/vi; tail -1 /etc/group; stat -c %a /tmp",
  ],
  ["run", "--name", "two", "changed:1", "sh", "-c", "rm /new; rmdir /d/e; touch /d/f"],
  ["diff", "two"],
  ["start", "-a", "one"],
  ["diff", "one"],
  ["run", "--name", "device", "busybox", "mknod", "/null", "c", "1", "3"],
  ["diff", "device"],
  ["run", "--rm", "--read-only", "busybox", "touch", "/x"],
  ["run", "--rm", "--mount", "type=image,source=changed:1,target=/image", "busybox", "cat", "/image/new"],
  [
    "run",
    "--name",
    "limited",
    "--storage-opt",
    "size=20m",
    "busybox",
    "sh",
    "-c",
    "dd if=/dev/zero of=/f bs=1M count=40 2>&1 | grep -o 'No space.*'",
  ],
  ["diff", "limited"],
  ["create", "--name", "created", "busybox"],
  ["diff", "created"],
];

/** Ids and times are each daemon's own. */
function comparable(text: string): string {
  return text.replace(/[0-9a-f]{64}/g, "ID").replace(/\b(About a minute|Less than a second|\d+ seconds?|a second) ago/g, "AGO");
}

const places = [
  ["on a data root that is an overlay itself", true],
  ["where the setting says so", false],
] as const;

describe.each(places)("IMG-14: copies %s", (_, isOverlay) => {
  let place: ReturnType<typeof overlayFolder> | undefined;
  let daemon: TestDaemon;
  const cli = (...args: string[]) => docker(daemon.host, ...args);
  const upperOf = async (name: string): Promise<string> => {
    const { body } = await daemon.request("GET", `/containers/${name}/json`);
    return join(daemon.dataRoot, "containers", (body as { Id: string }).Id, "upper");
  };

  beforeAll(async () => {
    place = isOverlay ? overlayFolder() : undefined;
    daemon = await startDaemon(place ? { dataRoot: place.folder } : { args: ["--storage-driver=vfs"] });
    await loadBusybox(daemon);
  }, 30_000);
  afterAll(async () => {
    try {
      await endClean(daemon);
    } finally {
      place?.[Symbol.dispose]();
    }
  }, 60_000);

  test("docker info says vfs, and the log why it was chosen", async () => {
    expect((await cli("info", "--format", "{{.Driver}} {{json .DriverStatus}}")).stdout).toBe("vfs null\n");
    expect(/not supported as upperdir.*overlays cannot be written here/.test(daemon.log())).toBe(isOverlay);
  });

  test("a person sees the same as with the usual driver", async () => {
    await using usual = await startDaemon();
    await loadBusybox(usual);
    for (const words of session) {
      const [here, there] = [await docker(daemon.host, ...words), await docker(usual.host, ...words)];
      const shown = ({ stdout, stderr, code }: typeof here) => ({ words, stdout: comparable(stdout), stderr: comparable(stderr), code });
      expect(shown(here)).toEqual(shown(there));
    }
    await expectClean(daemon);
  }, 60_000);

  test("copies out and in, and exports", async () => {
    await cli("create", "--name", "copies", "busybox", "cat", "/in");
    const file = join(mkdtempSync(join(tmpdir(), "gantry-cp-")), "in");
    await writeFile(file, "from outside\n");
    expect((await cli("cp", file, "copies:/in")).code).toBe(0);
    expect((await cli("start", "-a", "copies")).stdout).toBe("from outside\n");
    expect((await cli("cp", "copies:/etc/passwd", file)).code).toBe(0);
    expect(await readFile(file, "utf8")).toContain("root:x:0:0");
    const tar = join(file, "../export.tar");
    expect((await cli("export", "-o", tar, "copies")).code).toBe(0);
    const names = Bun.spawnSync(["tar", "-tf", tar]).stdout.toString().split("\n");
    expect(names).toEqual(expect.arrayContaining(["in", "bin/busybox", "etc/passwd"]));
    rmSync(join(file, ".."), { recursive: true });
  });

  test("F8: a container runs on while the daemon is away, and keeps its files over stops", async () => {
    await cli("run", "-d", "--name", "lasting", "busybox", "sh", "-c", "echo x >> /count; sleep 1000");
    await daemon.kill();
    await daemon.start();
    await expectClean(daemon);
    expect((await cli("exec", "lasting", "cat", "/count")).stdout).toBe("x\n");
    expect((await cli("diff", "lasting")).stdout).toBe("A /count\n");
    const before = statSync(await upperOf("lasting")).ino;
    await cli("restart", "-t", "0", "lasting");
    expect((await cli("exec", "lasting", "cat", "/count")).stdout).toBe("x\nx\n");
    expect(statSync(await upperOf("lasting")).ino).toBe(before); // copied once
    await cli("rm", "-f", "lasting");
    await expectClean(daemon);
    expect(readMounts().filter(({ target }) => target.startsWith(daemon.dataRoot) && target.endsWith("/rootfs"))).toEqual([]);
  }, 30_000);
});
