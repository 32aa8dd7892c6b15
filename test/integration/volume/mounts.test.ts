import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mountFileSystem, readMounts, unmount } from "../../../src/os/mount.ts";
import { endClean, expectClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker, type Finished } from "../../support/docker.ts";
import { busybox, loadBusybox } from "../../support/images.ts";

let daemon: TestDaemon;
const cli = (...args: string[]): Promise<Finished> => docker(daemon.host, ...args);
const run = (...args: string[]): Promise<Finished> => cli("run", "--rm", "--network", "none", ...args);
const sleeper = async (name: string, ...args: string[]): Promise<Finished> =>
  cli("run", "-d", "--name", name, "--network", "none", "--stop-signal", "KILL", ...args, busybox, "sleep", "1000");
const mountsBelow = (folder: string): string[] =>
  readMounts()
    .map(({ target }) => target)
    .filter((target) => target.startsWith(`${folder}/`));

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
});
afterAll(async () => {
  await endClean(daemon);
});

describe("an image as a volume", () => {
  const mount = `type=image,source=${busybox},target=/m`;

  test("is read-only, whole or in part, and nothing of it is mounted on the host once the container has it", async () => {
    await sleeper("viewer", "--mount", mount, "--mount", `${mount}2,image-subpath=etc/passwd`);
    expect((await cli("cp", "viewer:/m/etc/group", "-")).stdout).toContain("root:x:0:");
    expect((await cli("cp", "viewer:/m2", "-")).stdout).toContain("root:x:0:0");
    expect((await cli("exec", "viewer", "cat", "/m/etc/passwd")).stdout).toStartWith("root:");
    expect((await cli("exec", "viewer", "cat", "/m2")).stdout).toStartWith("root:");
    expect((await cli("exec", "viewer", "touch", "/m/x")).stderr).toContain("Read-only file system");
    expect(mountsBelow(`${daemon.execRoot}/mounts`)).toEqual([]);
    await cli("rm", "-f", "viewer");
  });

  test("keeps the last name of its image, and its layers when the image is removed by force", async () => {
    await cli("create", "--name", "holder", "--mount", mount, busybox, "ls", "/m/etc/passwd");
    expect((await cli("rmi", busybox)).stderr).toContain("is using its referenced image");
    await cli("rmi", "-f", busybox);
    expect((await cli("start", "-a", "holder")).stdout).toBe("/m/etc/passwd\n");
    await cli("rm", "holder");
    await loadBusybox(daemon);
  });

  test("is there again after a restart of the container, and for cp of a stopped one", async () => {
    await sleeper("again", "--mount", mount);
    await cli("restart", "-t", "0", "again");
    expect((await cli("exec", "again", "ls", "/m/etc/passwd")).code).toBe(0);
    await cli("kill", "again");
    expect((await cli("cp", "again:/m/etc/passwd", "-")).stdout).toContain("root:x:0:0");
    await cli("rm", "again");
    expect(mountsBelow(`${daemon.execRoot}/mounts`)).toEqual([]);
  });
});

describe("a part of a volume", () => {
  test("is all that the container sees of it", async () => {
    await run("-v", "parts:/v", busybox, "sh", "-c", "mkdir /v/sub; echo in > /v/sub/file; echo out > /v/file; ln -s / /v/host");
    const part = "type=volume,source=parts,target=/m,volume-subpath";
    expect((await run("--mount", `${part}=sub`, busybox, "sh", "-c", "ls /m; echo new > /m/new")).stdout).toBe("file\n");
    expect((await run("-v", "parts:/v", busybox, "cat", "/v/sub/new")).stdout).toBe("new\n");
    expect((await run("--mount", `${part}=sub,readonly`, busybox, "touch", "/m/x")).stderr).toContain("Read-only file system");
    expect((await run("--mount", `${part}=sub/file,readonly`, busybox, "cat", "/m")).stdout).toBe("in\n");
    expect((await run("--mount", `${part}=host/etc`, busybox, "true")).stderr).toContain("path concatenation escapes the base directory");
    expect((await run("--mount", `${part}=none`, busybox, "true")).stderr).toContain("no such file or directory");
    await cli("volume", "rm", "parts");
  });

  test("never becomes the host's, however fast a container exchanges it for a link", async () => {
    await run("-v", "hostile:/v", busybox, "sh", "-c", "mkdir /v/a; echo mine > /v/a/hostname; ln -s /etc /v/b");
    await sleeper("swapper", "-v", "hostile:/v");
    await cli("exec", "-d", "swapper", "sh", "-c", "while :; do mv -T /v/a /v/c; mv -T /v/b /v/a; mv -T /v/a /v/b; mv -T /v/c /v/a; done");
    const seen = new Set<string>();
    for (let attempt = 0; attempt < 15; attempt++) {
      const tried = await run("--mount", "type=volume,source=hostile,target=/m,volume-subpath=a", busybox, "cat", "/m/hostname");
      seen.add(tried.code === 0 ? tried.stdout : /escapes the base|no such file/.test(tried.stderr) ? "refused" : tried.stderr);
    }
    expect([...seen].filter((answer) => answer !== "mine\n" && answer !== "refused")).toEqual([]);
    await cli("rm", "-f", "swapper");
    await cli("volume", "rm", "hostile");
  }, 60_000);
});

describe("a volume with options of the local driver", () => {
  const tmpfs = ["--opt", "type=tmpfs", "--opt", "device=tmpfs", "--opt", "o=size=1m,noexec"];

  test("is mounted with the first and unmounted with the last container", async () => {
    await cli("volume", "create", ...tmpfs, "memory");
    const isMounted = (): boolean => mountsBelow(`${daemon.dataRoot}/volumes`).length === 1;
    expect(isMounted()).toBe(false);
    await sleeper("one", "-v", "memory:/m");
    await sleeper("two", "-v", "memory:/m:ro");
    await cli("exec", "one", "touch", "/m/kept");
    expect((await cli("exec", "two", "ls", "/m")).stdout).toBe("kept\n");
    expect((await cli("exec", "one", "grep", " /m ", "/proc/mounts")).stdout).toContain("noexec");
    await cli("rm", "-f", "one");
    expect((await cli("exec", "two", "ls", "/m")).stdout).toBe("kept\n");
    await cli("rm", "-f", "two");
    expect(isMounted()).toBe(false);
    expect((await run("-v", "memory:/m", busybox, "ls", "/m")).stdout).toBe("");
    await cli("volume", "rm", "memory");
  });

  test("a folder of the host is kept when the volume goes", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gantry-bound-"));
    writeFileSync(join(folder, "file"), "host\n");
    await cli("volume", "create", "--opt", "type=none", "--opt", `device=${folder}`, "--opt", "o=bind,ro", "bound");
    const tried = await run("-v", "bound:/m", busybox, "sh", "-c", "cat /m/file; touch /m/x");
    expect(tried).toMatchObject({ stdout: "host\n", stderr: expect.stringContaining("Read-only file system") });
    await cli("volume", "rm", "bound");
    expect(await Bun.file(join(folder, "file")).text()).toBe("host\n");
    rmSync(folder, { recursive: true });
  });

  test("a kill of the daemon leaves it to those who run, and takes it from the dead", async () => {
    await cli("volume", "create", ...tmpfs, "stays");
    await cli("volume", "create", ...tmpfs, "goes");
    await sleeper("alive", "-v", "stays:/m", "--mount", `type=image,source=${busybox},target=/i`);
    await sleeper("dead", "-v", "goes:/m");
    await cli("exec", "alive", "touch", "/m/kept");
    const { stdout: pid } = await cli("inspect", "--format", "{{.State.Pid}}", "dead");
    await daemon.kill();
    process.kill(Number(pid), "SIGKILL");
    await daemon.start();
    expect((await cli("exec", "alive", "ls", "/m/kept", "/i/etc/passwd")).code).toBe(0);
    expect(mountsBelow(`${daemon.dataRoot}/volumes`).map((target) => target.split("/").at(-2))).toEqual(["stays"]);
    await cli("rm", "-f", "alive", "dead");
    expect(mountsBelow(`${daemon.dataRoot}/volumes`)).toEqual([]);
    await cli("volume", "rm", "stays", "goes");
    await expectClean(daemon);
  }, 60_000);
});

test("RUN-24: --volumes-from takes the mounts of stopped containers, the last one's where several have a place, and read-only if wanted", async () => {
  await cli("create", "--name", "first", "-v", "first:/m", "-v", "only:/only", busybox);
  await cli("create", "--name", "second", "-v", "second:/m", busybox);
  await run("-v", "second:/m", "-v", "only:/only", busybox, "touch", "/m/of-second", "/only/of-first");
  const both = ["--volumes-from", "first", "--volumes-from", "second"];
  expect((await run(...both, busybox, "ls", "/m", "/only")).stdout).toBe("/m:\nof-second\n\n/only:\nof-first\n");
  expect((await run("--volumes-from", "second", "--volumes-from", "first:ro", busybox, "ls", "/m")).stdout).toBe("");
  expect((await run("--volumes-from", "first:ro", busybox, "touch", "/only/x")).stderr).toContain("Read-only file system");
  expect((await run("--volumes-from", "first:nocopy", busybox, "true")).stderr).toContain("invalid mode: nocopy");
  await cli("rm", "first", "second");
  await cli("volume", "rm", "first", "second", "only");
});

describe("a bind", () => {
  test("gives and takes mounts as its propagation says, and is refused where its source has no peers", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gantry-shared-"));
    const MS_SHARED = 1 << 20;
    const MS_PRIVATE = 1 << 18;
    mountFileSystem("tmpfs", folder, "tmpfs", 0, "size=1m");
    try {
      mkdirSync(join(folder, "below"));
      mountFileSystem("", folder, "", MS_PRIVATE, "");
      const refused = await run("-v", `${folder}:/m:rshared`, busybox, "true");
      expect(refused.stderr).toContain(`path ${folder} is mounted on ${folder} but it is not a shared mount`);
      mountFileSystem("", folder, "", MS_SHARED, "");
      await sleeper("slave", "-v", `${folder}:/m:rslave`);
      await sleeper("private", "-v", `${folder}:/m`);
      mountFileSystem("tmpfs", join(folder, "below"), "tmpfs", 0, "size=1m");
      writeFileSync(join(folder, "below/late"), "");
      expect((await cli("exec", "slave", "ls", "/m/below")).stdout).toBe("late\n");
      expect((await cli("exec", "private", "ls", "/m/below")).stdout).toBe("");
      unmount(join(folder, "below"));
      const made = await run("--privileged", "-v", `${folder}:/m:rshared`, busybox, "sh", "-c", "mount -t tmpfs inside /m/below");
      expect(made.code).toBe(0);
      expect(readMounts().some(({ target, source }) => target === join(folder, "below") && source === "inside")).toBe(true);
      unmount(join(folder, "below"));
    } finally {
      await cli("rm", "-f", "slave", "private");
      unmount(folder);
      rmSync(folder, { recursive: true });
    }
  }, 60_000);

  test("read-only is recursive unless bind-recursive says otherwise", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gantry-deep-"));
    mkdirSync(join(folder, "sub"));
    mountFileSystem("tmpfs", join(folder, "sub"), "tmpfs", 0, "size=1m");
    try {
      const tries = "touch /m/x 2>/dev/null && echo top; touch /m/sub/x 2>/dev/null && echo sub; grep -c ' /m' /proc/mounts";
      const bind = (more: string) => run("--mount", `type=bind,source=${folder},target=/m,readonly${more}`, busybox, "sh", "-c", tries);
      expect((await bind("")).stdout).toBe("2\n");
      expect((await bind(",bind-recursive=readonly,bind-propagation=rprivate")).stdout).toBe("2\n");
      expect((await bind(",bind-recursive=writable")).stdout).toBe("sub\n2\n");
      expect((await bind(",bind-recursive=disabled")).stdout).toBe("1\n");
    } finally {
      unmount(join(folder, "sub"));
      rmSync(folder, { recursive: true });
    }
  });

  test("of a host's mount keeps what that one does not allow", async () => {
    const folder = mkdtempSync(join(tmpdir(), "gantry-flags-"));
    const MS_NOSUID_NODEV_NOEXEC = 14;
    mountFileSystem("tmpfs", folder, "tmpfs", MS_NOSUID_NODEV_NOEXEC, "size=1m");
    try {
      const { stdout } = await run("-v", `${folder}:/m`, busybox, "grep", " /m ", "/proc/mounts");
      expect(stdout).toContain("rw,nosuid,nodev,noexec");
    } finally {
      unmount(folder);
      rmSync(folder, { recursive: true });
    }
  });
});
