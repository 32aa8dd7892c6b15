import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { projectRange } from "../../../src/lib/instance.ts";
import { projectOf, readProject, readProjects, type ProjectState } from "../../../src/os/project-quota.ts";
import { endClean, expectClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker, type Finished } from "../../support/docker.ts";
import { lackOfProgram, mountImage, type FileSystemKind } from "../../support/file-system-image.ts";
import { lackOf } from "../../support/host-has.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { escapes, harmless, writeEscape } from "../../support/project-escape.ts";
import { firstIds, lendSubordinateIds, remapUsers } from "../../support/subordinate-ids.ts";
import { until } from "../../support/until.ts";

const mebibyte = 2 ** 20;
const EPERM = 1;
/** What a program is told beyond its limit; ext4 knows it for a quota, XFS for a full disk. */
const isFull = /Disk quota exceeded|No space left on device/;
const fill = "dd if=/dev/zero of=FILE bs=1M count=60 2>&1 | head -1";
const sizeOf = "df -m PLACE | tail -1 | awk '{print $2}'";

/** What a limit by a project promises, on any file system that keeps one. Each has a test file of its own: a second kernel runs them side by side. */
export function projectQuotaContract(kind: FileSystemKind): void {
  const lack = lackOf("project quotas") ?? lackOfProgram(kind);
  if (lack === undefined) describe(`limits by a project, on ${kind}`, () => limits(kind));
  else test.skip(`limits by a project, on ${kind}: ${lack}`, () => undefined);
}

function limits(kind: FileSystemKind): void {
  const image = mountImage(kind);
  let daemon: TestDaemon;
  const programs = mkdtempSync(join(tmpdir(), "escapes-"));
  const cli = (...args: string[]): Promise<Finished> => docker(daemon.host, ...args);
  const sh = async (...args: string[]): Promise<string> => {
    const { stdout, stderr } = await cli(...args.slice(0, -1), "sh", "-c", args.at(-1) ?? "");
    return (stdout + stderr).trim();
  };
  const run = (...args: string[]) => sh("run", "--rm", "--network", "none", ...args.slice(0, -1), busybox, args.at(-1) ?? "");
  const idOf = async (name: string) => (await cli("inspect", name, "--format", "{{.Id}}")).stdout.trim();
  const limitedOf = async (name: string) => `${daemon.dataRoot}/containers/${await idOf(name)}/limited`;
  const dataOf = (volume: string) => `${daemon.dataRoot}/volumes/${volume}/_data`;
  const range = () => projectRange({ id: readFileSync(`${daemon.dataRoot}/instance-id`, "utf8").trim() });
  /** Projects of this instance that the file system has something of. */
  const projects = (): [number, ProjectState][] =>
    [...readProjects(daemon.dataRoot, range())].filter(([, { limitBytes, usedBytes }]) => limitBytes + usedBytes > 0);
  const open = async (...args: string[]): Promise<void> => {
    const dataRoot = join(image.folder, "data");
    mkdirSync(dataRoot, { recursive: true });
    daemon = await startDaemon({ dataRoot, args });
    await loadBusybox(daemon);
  };

  beforeAll(async () => {
    for (const [name, request] of Object.entries({ ...escapes, harmless }))
      writeEscape(join(programs, name.replaceAll(/\W/g, "-")), request);
    await open();
  });
  afterAll(async () => {
    try {
      await endClean(daemon);
      expect(existsSync(daemon.dataRoot)).toBe(false);
      expect([...readProjects(image.folder, { first: 2 ** 30, count: 2 ** 30 })].filter(([, { limitBytes }]) => limitBytes > 0)).toEqual(
        [],
      );
    } finally {
      image[Symbol.dispose]();
      rmSync(programs, { recursive: true });
    }
  });

  test("--storage-opt size is a quota of the container's own files, which df shows, and leaves nothing", async () => {
    const script = `${sizeOf.replace("PLACE", "/")}; ${fill.replace("FILE", "/big")}`;
    const printed = await sh("run", "--name", "big", "--network", "none", "--storage-opt", "size=20M", busybox, script);
    expect(printed).toMatch(isFull);
    expect(Number(printed.split("\n")[0])).toBe(20);
    const folder = await limitedOf("big");
    const id = projectOf(folder);
    expect(["upper", "work", "upper/big"].slice(0, 2).map((name) => projectOf(join(folder, name)))).toEqual([id, id]);
    const { limitBytes, usedBytes } = readProject(folder, id);
    expect(limitBytes).toBe(20 * mebibyte);
    expect(usedBytes).toBeWithin(18 * mebibyte, 20 * mebibyte + 1);
    expect(existsSync(join(folder, "../disk"))).toBe(false);
    expect((await cli("inspect", "big", "--format", "{{json .HostConfig.StorageOpt}}")).stdout.trim()).toBe('{"size":"20M"}');
    await cli("rm", "big");
    await until(() => projects().length === 0);
  }, 60_000);

  test("a limited container can be copied, told and exported, changed and started again", async () => {
    await cli("create", "--name", "made", "--network", "none", "--storage-opt", "size=20M", busybox, "cat", "/in");
    expect((await cli("ps", "-as", "--format", "{{.Size}}", "--filter", "name=made")).stdout).toStartWith("0B");
    expect((await cli("cp", join(programs, "harmless"), "made:/in")).code).toBe(0);
    expect((await cli("diff", "made")).stdout).toBe("A /in\n");
    expect((await cli("start", "-a", "made")).stdout).toStartWith("\u007fELF");
    expect((await cli("update", "--restart", "on-failure:1", "made")).code).toBe(0);
    expect((await cli("export", "made")).stdout).toContain("\u007fELF");
    expect((await cli("commit", "made", "committed:latest")).code).toBe(0);
    expect((await cli("run", "--rm", "--network", "none", "committed:latest", "cat", "/in")).stdout).toStartWith("\u007fELF");
    expect((await cli("rmi", "committed:latest")).code).toBe(0);
    expect((await cli("start", "-a", "made")).stdout).toStartWith("\u007fELF");
    await cli("rm", "made");
  }, 60_000);

  test("a file that is too large is not copied into a limited container, and not into a limited volume", async () => {
    await cli("volume", "create", "-o", "size=4M", "small");
    await cli("create", "--name", "small", "--network", "none", "--storage-opt", "size=4M", "-v", "small:/v", busybox, "true");
    const large = join(programs, "large");
    writeFileSync(large, Buffer.alloc(12 * mebibyte, 1));
    for (const place of ["/large", "/v/large"]) {
      const { code, stderr } = await cli("cp", large, `small:${place}`);
      expect({ place, code, isFull: /no space left|quota exceeded/i.test(stderr) }).toEqual({ place, code: 1, isFull: true });
    }
    await cli("rm", "small");
    await cli("volume", "rm", "small");
  }, 60_000);

  test("a volume's option size limits all who write to it, and its project is free when it is removed", async () => {
    expect(await cli("volume", "create", "-o", "size=10m", "limited")).toMatchObject({ code: 0, stdout: "limited\n" });
    expect(await run("-v", "limited:/v", `${sizeOf.replace("PLACE", "/v")}; ${fill.replace("FILE", "/v/one")}`)).toMatch(
      new RegExp(`^10\n.*(${isFull.source})`),
    );
    expect(await run("-v", "limited:/v", "echo more > /v/two; ls /v")).toMatch(isFull);
    expect((await cli("volume", "inspect", "limited", "--format", "{{json .Options}}")).stdout.trim()).toBe('{"size":"10m"}');
    const id = projectOf(dataOf("limited"));
    expect(readProject(dataOf("limited"), id).limitBytes).toBe(10 * mebibyte);
    expect((await cli("volume", "rm", "limited")).code).toBe(0);
    await until(() => projects().length === 0);
    await cli("volume", "create", "-o", "size=1m", "pruned");
    expect((await cli("volume", "prune", "-af")).stdout).toContain("pruned");
    await until(() => projects().length === 0);
  }, 60_000);

  test("volumes and containers have a project each, and a volume without a limit none", async () => {
    for (const name of ["one", "two"]) await cli("volume", "create", "-o", "size=5m", name);
    await cli("volume", "create", "-o", "size=0", "free");
    await cli("create", "--name", "third", "--storage-opt", "size=5m", busybox, "true");
    await cli("start", "-a", "third");
    const ids = [dataOf("one"), dataOf("two"), await limitedOf("third")].map(projectOf);
    expect(new Set(ids).size).toBe(3);
    expect(projectOf(dataOf("free"))).toBe(0);
    await expectClean(daemon);
    await cli("rm", "third");
    await cli("volume", "rm", "one", "two", "free");
  }, 60_000);

  test.each([
    ["size=nonsense", "create vv: invalid size: 'nonsense'"],
    ["size=-1", "create vv: invalid size: '-1'"],
  ])("a volume with %s is refused", async (option, message) => {
    const { code, stderr } = await cli("volume", "create", "-o", option, "vv");
    expect({ code, stderr }).toEqual({ code: 1, stderr: `Error response from daemon: ${message}\n` });
  });

  test("a size of what is mounted is refused", async () => {
    const { stderr } = await cli("volume", "create", "-o", "size=1m", "-o", "type=tmpfs", "-o", "device=tmpfs", "vv");
    expect(stderr).toContain("the size of what is mounted cannot be limited by the option size");
  });

  const all = Object.keys(escapes).map((name) => name.replaceAll(/\W/g, "-"));
  const attempt = (place: string) =>
    [`mkdir -p ${place}/own; cd ${place}/own`, ...["harmless", ...all].map((name) => `/escapes/${name}; echo $?`)].join("; ");
  const outcome = (printed: string) => printed.split("\n").map(Number);
  const refused = [0, ...all.map(() => EPERM)];

  test.each(["crun", "runc"].filter((name) => Bun.which(name) !== null || existsSync(`/usr/sbin/${name}`)))(
    "under %s nobody in a container leaves its project, in its own files and in a volume",
    async (runtime) => {
      await cli("volume", "create", "-o", "size=10m", "fence");
      const common = ["--runtime", runtime, "-v", `${programs}:/escapes:ro`];
      // Twice: a profile is compiled for the first, and kept for the others.
      for (let time = 0; time < 2; time++) {
        expect(outcome(await run(...common, "--storage-opt", "size=20M", attempt("/root")))).toEqual(refused);
        expect(outcome(await run(...common, "-v", "fence:/v", attempt("/v")))).toEqual(refused);
      }
      expect(outcome(await run(...common, "-v", `${dataOf("fence")}:/v`, attempt("/v")))).toEqual(refused);
      await cli("run", "-d", "--name", "in", "--network", "none", ...common, "-v", "fence:/v", busybox, "sleep", "1000");
      expect(outcome(await sh("exec", "in", attempt("/v")))).toEqual(refused);
      await cli("rm", "-f", "in");
      await cli("volume", "rm", "fence");
    },
    120_000,
  );

  test("without a filter the owner of a folder leaves its project: what the filter is for", async () => {
    const common = ["--security-opt", "seccomp=unconfined", "-v", `${programs}:/escapes:ro`, "--storage-opt", "size=20M"];
    for (const name of all) {
      const script = `mkdir /out; cd /out; /escapes/${name}; echo $?; ${fill.replace("FILE", "/out/big")}`;
      const [answer, ...rest] = (await run(...common, script)).split("\n");
      expect({ name, answer, isFull: isFull.test(rest.join("\n")) }).toEqual({ name, answer: "0", isFull: false });
    }
  }, 120_000);

  test("limits outlive a kill of the daemon, of what runs and of what does not", async () => {
    await cli("volume", "create", "-o", "size=10m", "kept");
    await cli("run", "-d", "--name", "runs", "--network", "none", "--storage-opt", "size=20M", "-v", "kept:/v", busybox, "sleep", "1000");
    await cli("run", "--name", "ended", "--network", "none", "--storage-opt", "size=20M", busybox, "true");
    const before = [dataOf("kept"), await limitedOf("runs"), await limitedOf("ended")].map(projectOf);
    await daemon.kill();
    await daemon.start();
    expect([dataOf("kept"), await limitedOf("runs"), await limitedOf("ended")].map(projectOf)).toEqual(before);
    await expectClean(daemon);
    expect(await sh("exec", "runs", fill.replace("FILE", "/big"))).toMatch(isFull);
    expect(await sh("exec", "runs", fill.replace("FILE", "/v/big"))).toMatch(isFull);
    // Nobody gets a project that somebody has.
    await cli("run", "--name", "new", "--network", "none", "--storage-opt", "size=20M", busybox, "true");
    expect(before).not.toContain(projectOf(await limitedOf("new")));
    await cli("rm", "-f", "runs", "ended", "new");
    await cli("volume", "rm", "kept");
    await until(() => projects().length === 0);
  }, 60_000);

  test("what the file system has lost of a limit is set again at the start of the daemon", async () => {
    await cli("volume", "create", "-o", "size=10m", "copied");
    await run("-v", "copied:/v", "mkdir -p /v/a/b; dd if=/dev/zero of=/v/a/b/f bs=1M count=3");
    const id = projectOf(dataOf("copied"));
    await daemon.stop();
    // As a copy of the data root has it.
    expect(Bun.spawnSync(["chattr", "-R", "-p", "0", dataOf("copied")]).exitCode).toBe(0);
    expect(readProject(daemon.dataRoot, id).usedBytes).toBe(0);
    await daemon.start();
    expect(projectOf(join(dataOf("copied"), "a/b"))).toBe(id);
    expect(readProject(daemon.dataRoot, id).usedBytes).toBeGreaterThanOrEqual(3 * mebibyte);
    await cli("volume", "rm", "copied");
  }, 60_000);

  test("a kill while limited containers and volumes are made loses no project and gives none twice", async () => {
    for (const patience of [20, 300]) {
      const begun = Array.from({ length: 4 }, (_, index) => [
        cli("run", "-d", "--network", "none", "--name", `killed${index}`, "--storage-opt", "size=20M", busybox, "sleep", "1000"),
        cli("volume", "create", "-o", "size=5m", `killed${index}`),
      ]).flat();
      await Bun.sleep(patience);
      await daemon.kill();
      await Promise.all(begun);
      await daemon.start();
      // What was made and not on record yet is taken over by who makes it again.
      for (let index = 0; index < 4; index++) await cli("volume", "create", "-o", "size=5m", `killed${index}`);
      await expectClean(daemon);
      const names = (await cli("ps", "-aq")).stdout.trim().split("\n").filter(Boolean);
      if (names.length > 0) expect((await cli("rm", "-f", ...names)).code).toBe(0);
      expect((await cli("volume", "prune", "-af")).code).toBe(0);
      await until(() => projects().length === 0);
    }
  }, 120_000);

  test("a kill while they are removed leaves no limit", async () => {
    await cli("create", "--name", "goes", "--network", "none", "--storage-opt", "size=20M", busybox, "true");
    await cli("start", "-a", "goes");
    const removed = cli("rm", "goes");
    await Bun.sleep(15);
    await daemon.kill();
    await removed;
    await daemon.start();
    await cli("rm", "-f", "goes");
    await until(() => projects().length === 0);
    await expectClean(daemon);
  }, 60_000);

  if (kind === "ext4 with project quotas")
    test("D8: where limits are not kept any more nothing is used without them, and files can be copied out", async () => {
      await cli("volume", "create", "-o", "size=10m", "lost");
      await cli("create", "--name", "lost", "--network", "none", "--storage-opt", "size=20M", busybox, "true");
      await cli("create", "--name", "user", "--network", "none", "-v", "lost:/v", busybox, "true");
      const large = join(programs, "harmless");
      expect((await cli("cp", large, "lost:/file")).code).toBe(0);
      await daemon.stop();
      image.remount("");
      await daemon.start();
      const reason = "cannot be limited: project quotas are counted, and not kept";
      for (const name of ["lost", "user"]) expect((await cli("start", name)).stderr).toContain(reason);
      expect((await cli("cp", "lost:/file", join(programs, "copied"))).code).toBe(0);
      expect((await cli("volume", "create", "-o", "size=1m", "more")).stderr).toContain("quota size requested but no quota support");
      await daemon.stop();
      image.remount("prjquota");
      await daemon.start();
      for (const name of ["lost", "user"]) expect((await cli("start", "-a", name)).code).toBe(0);
      await cli("rm", "lost", "user");
      await cli("volume", "rm", "lost");
      await until(() => projects().length === 0);
    }, 90_000);

  test("--storage-opt overlay2.size of the daemon is the limit of those who say nothing, as it was when they were made", async () => {
    await endClean(daemon);
    await open("--storage-opt", "overlay2.size=24M");
    expect(await run(`${sizeOf.replace("PLACE", "/")}; ${fill.replace("FILE", "/big")}`)).toMatch(new RegExp(`^24\n.*(${isFull.source})`));
    expect(await run("--storage-opt", "size=30M", sizeOf.replace("PLACE", "/"))).toBe("30");
    expect(await run("--storage-opt", "size=0", fill.replace("FILE", "/big"))).not.toMatch(isFull);
    await cli("create", "--name", "quiet", "--network", "none", busybox, "sh", "-c", sizeOf.replace("PLACE", "/"));
    expect((await cli("inspect", "quiet", "--format", "{{json .HostConfig.StorageOpt}}")).stdout.trim()).toBe("null");
    await cli("rm", "quiet");
    await endClean(daemon);
    await open();
  }, 60_000);

  if (kind === "ext4 with project quotas")
    test("a container with a user namespace is limited as well, and its files have its ids", async () => {
      using _lent = lendSubordinateIds();
      await endClean(daemon);
      await open("--userns-remap", remapUsers.one);
      const id = (await cli("run", "-d", "--network", "none", "--storage-opt", "size=20M", busybox, "sleep", "1000")).stdout.trim();
      expect(await sh("exec", id, `${sizeOf.replace("PLACE", "/")}; ${fill.replace("FILE", "/big")}; stat -c %u /big`)).toMatch(
        new RegExp(`^20\n.*(${isFull.source})[^]*\n0$`),
      );
      const pid = Number((await cli("inspect", id, "--format", "{{.State.Pid}}")).stdout);
      expect(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]).toBe(String(firstIds.one));
      await cli("rm", "-f", id);
      await until(() => projects().length === 0);
      await endClean(daemon);
      await open();
    }, 60_000);
}
