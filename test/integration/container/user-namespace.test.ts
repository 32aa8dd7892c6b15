import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { chownSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readAll } from "../../../src/lib/tar/fixtures.ts";
import { endClean, expectClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { docker, runWithInput } from "../../support/docker.ts";
import { needs } from "../../support/host-has.ts";
import { busybox, loadBusybox } from "../../support/images.ts";
import { firstIds, lendSubordinateIds, remapUsers } from "../../support/subordinate-ids.ts";
import { until } from "../../support/until.ts";

let daemon: TestDaemon;
const folder = mkdtempSync(join(tmpdir(), "gantry-userns-"));
const settings = join(folder, "daemon.json");
const lent = lendSubordinateIds();
const base = firstIds.one;

const cli = (...args: string[]) => docker(daemon.host, ...args);
const sh = async (...args: string[]) => {
  const { stdout, stderr } = await cli(...args.slice(0, -1), "sh", "-c", args.at(-1) ?? "");
  return (stdout + stderr).trim();
};
const inNone = (...args: string[]) => sh("run", "--rm", "--network", "none", ...args.slice(0, -1), busybox, args.at(-1) ?? "");
const pidOf = async (name: string) => Number((await cli("inspect", name, "--format", "{{.State.Pid}}")).stdout);
const idOf = async (name: string) => (await cli("inspect", name, "--format", "{{.Id}}")).stdout.trim();
const ownerOf = (path: string) => {
  const { uid, gid } = statSync(path);
  return `${uid}:${gid}`;
};
const hostUid = (pid: number) => Number(/^Uid:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]);
const setRemap = (user: string | undefined) => writeFileSync(settings, JSON.stringify(user === undefined ? {} : { "userns-remap": user }));

/** Owner and name of the entries of an archive that is copied out. */
async function copiedOut(...args: string[]): Promise<string[]> {
  const child = Bun.spawn(["docker", "-H", daemon.host, ...args], { stdout: "pipe", stderr: "ignore" });
  const archive = readAll(Buffer.from(await new Response(child.stdout).arrayBuffer()));
  return archive.map(({ entry: { uid, gid, path } }) => `${uid}:${gid} ${path}`);
}

beforeAll(async () => {
  setRemap(remapUsers.one);
  daemon = await startDaemon({ args: [`--config-file=${settings}`] });
  await loadBusybox(daemon);
});
afterAll(async () => {
  try {
    await endClean(daemon);
  } finally {
    lent[Symbol.dispose]();
    rmSync(folder, { recursive: true, force: true });
  }
});

describe("SEC-03, D11: a container of a daemon with --userns-remap", () => {
  test("has a root that is nobody on the host", async () => {
    expect((await cli("info", "--format", "{{.SecurityOptions}}")).stdout).toContain("name=userns");
    expect(await inNone("id -u; id -g; cat /proc/self/uid_map /proc/self/gid_map")).toMatch(
      new RegExp(`^0\n0\n\\s+0 +${base} +65536\n\\s+0 +${base} +65536$`),
    );
    await cli("run", "-d", "--name", "root", "--network", "none", busybox, "sleep", "1000");
    const pid = await pidOf("root");
    expect(hostUid(pid)).toBe(base);
    await cli("exec", "-d", "root", "sleep", "2000");
    await cli("exec", "-d", "-u", "1000", "root", "sleep", "3000");
    const users = async () => (await cli("top", "root", "-eo", "uid,pid,args")).stdout.match(/^\d+(?= +\d+ +sleep)/gm)?.map(Number);
    await until(async () => (await users())?.length === 3);
    expect((await users())?.sort()).toEqual([base, base, base + 1000]);
    await cli("rm", "-f", "root");
  }, 30_000);

  test("EXA-19, SEC-08: cannot read what only the host's root may, and leaves files of its own", async () => {
    const host = join(folder, "host");
    mkdirSync(host);
    writeFileSync(join(host, "secret"), "of root\n", { mode: 0o600 });
    mkdirSync(join(host, "open"), { mode: 0o777 });
    Bun.spawnSync(["chmod", "777", join(host, "open")]);
    const said = await inNone("-v", `${host}:/host`, "cat /host/secret; touch /host/x; touch /host/open/mine; chown 5:6 /host/open/mine");
    expect(said).toContain("can't open '/host/secret': Permission denied");
    expect(said).toContain("/host/x: Permission denied");
    expect(ownerOf(join(host, "open/mine"))).toBe(`${base + 5}:${base + 6}`);
  }, 30_000);

  // The files of a hostfs belong to nobody inside of that kernel: what it lets whom do says nothing.
  const isOnHostfs = readFileSync("/proc/self/mounts", "utf8").includes(" / hostfs ");
  test.skipIf(isOnHostfs)(
    "EXA-19: a chroot to the host's root file system is no way out",
    async () => {
      const escaped = await inNone("-v", "/:/hostOS", "chroot /hostOS cat /etc/shadow; chroot /hostOS touch /etc/gantry-test-escaped");
      expect(escaped).toContain("Permission denied");
      expect(existsSync("/etc/gantry-test-escaped")).toBe(false);
    },
    30_000,
  );

  test("EXA-22, STO-23: sees the ids of files through its map", async () => {
    const files = join(folder, "files");
    mkdirSync(files);
    for (const [name, id] of [
      ["a999", 999],
      ["mapped", base + 1035],
      ["root", 0],
    ] as const) {
      writeFileSync(join(files, name), "");
      chownSync(join(files, name), id, id);
    }
    const listed = await inNone("-v", `${files}:/f:ro`, "ls -ln /f | awk 'NR>1 {print $9, $3, $4}'");
    expect(listed.split("\n")).toEqual(["a999 65534 65534", "mapped 1035 1035", "root 65534 65534"]);
    expect(await inNone("--userns=host", "-v", `${files}:/f:ro`, "ls -ln /f | awk 'NR>1 {print $9, $3}'")).toStartWith("a999 999\n");
  }, 30_000);

  test("has its own files, and they lie on the disk with its ids", async () => {
    const script = "echo x > /f; chown 1000:1000 /f; rm /etc/group; echo more >> /etc/passwd; mkdir /d; chmod 4755 /f";
    expect(await sh("run", "--name", "files", "--network", "none", "-w", "/new/work", busybox, script)).toBe("");
    const { upper } = { upper: join(daemon.dataRoot, "containers", await idOf("files"), "upper") };
    expect(["f", "etc/passwd", "d", "new/work", ".dockerenv"].map((path) => ownerOf(join(upper, path)))).toEqual([
      "1000:1000",
      ...["0:0", "0:0", "0:0", "0:0"],
    ]);
    // Programs that are the host's root's there: nobody else gets at them.
    expect(statSync(daemon.dataRoot).mode & 0o077).toBe(0);
    expect((await cli("diff", "files")).stdout.split("\n").sort()).toEqual(
      expect.arrayContaining(["A /f", "D /etc/group", "C /etc/passwd"]),
    );
    const exported = await copiedOut("export", "files");
    expect(exported).toContain("1000:1000 f");
    expect(exported).toContain("0:0 etc/passwd");
    await cli("rm", "files");
  }, 30_000);

  test("D11: copies in and out keep the ids, running or not, in tmpfs and volumes too", async () => {
    await cli("run", "-d", "--name", "copies", "--network", "none", "--tmpfs", "/t", "-v", "copied:/v", busybox, "sleep", "1000");
    const file = join(folder, "file");
    writeFileSync(file, "data");
    chownSync(file, 7, 8);
    for (const place of ["/", "/t/", "/v/"]) {
      expect((await cli("cp", "-a", file, `copies:${place}file`)).code).toBe(0);
      expect(await sh("exec", "copies", `stat -c %u:%g ${place}file; stat -c %u ${place === "/" ? "/etc" : place}`)).toBe("7:8\n0");
      expect(await copiedOut("cp", `copies:${place}file`, "-")).toEqual(["7:8 file"]);
    }
    await cli("stop", "-t", "0", "copies");
    expect((await cli("cp", "-a", file, "copies:/stopped")).code).toBe(0);
    expect(await copiedOut("cp", "copies:/stopped", "-")).toEqual(["7:8 stopped"]);
    await cli("start", "copies");
    expect(await sh("exec", "copies", "stat -c %u:%g /stopped /file /v/file")).toBe("7:8\n7:8\n7:8");
    chownSync(file, 70_000, 0);
    const { code, stderr } = await cli("cp", "-a", file, "copies:/beyond");
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining("belongs to 70000:0, which the container's user namespace has not"),
    });
    await cli("rm", "-f", "copies");
    await cli("volume", "rm", "copied");
  }, 30_000);

  test("D11: volumes belong to its root, also with what the image has there", async () => {
    await cli("volume", "create", "empty");
    expect(await inNone("-v", "empty:/e", "-v", "filled:/etc", "stat -c %u:%g /e /etc /etc/passwd; touch /e/x /etc/x")).toBe(
      "0:0\n0:0\n0:0",
    );
    const data = (name: string) => join(daemon.dataRoot, "volumes", name, "_data");
    expect(["empty", "filled"].map((name) => ownerOf(join(data(name), "x")))).toEqual([`${base}:${base}`, `${base}:${base}`]);
    expect(await inNone("-v", "filled:/other", "stat -c %u /other/passwd; rm /other/passwd")).toBe("0");
    await cli("volume", "rm", "empty", "filled");
  }, 30_000);

  test("has the daemon's files, devices, shared memory, queues, a terminal, and what is mounted from images", async () => {
    expect(await inNone("echo 1.2.3.4 a >> /etc/hosts && stat -c %u /etc/hosts /etc/hostname /etc/resolv.conf")).toBe("0\n0\n0");
    expect(await inNone("echo x > /dev/null && head -c1 /dev/zero | wc -c; touch /dev/shm/x && stat -c %u /dev/shm/x /dev/mqueue")).toBe(
      "1\n0\n0",
    );
    const tty = await sh("run", "--rm", "-t", "--network", "none", busybox, "stat -c %u /dev/console; echo ok > /dev/tty");
    expect(tty.replaceAll("\r", "")).toBe("0\nok");
    expect(await inNone("--init", "cat /proc/1/comm")).toMatch(/init|tini|catatonit/);
    const image = `type=image,src=${busybox},dst=/img`;
    expect(await inNone("--mount", image, "stat -c %u /img/etc/passwd; touch /img/x")).toMatch(/^0\n[^]*Read-only file system$/);
    expect(await inNone("--read-only", "--tmpfs", "/t:size=1m,mode=700", "touch /x; touch /t/x; stat -c '%u %a' /t")).toContain("0 700");
    expect(await inNone("--storage-opt", "size=20M", "echo x > /f; chown 3 /f; stat -c %u /f")).toBe("3");
    expect(await inNone("-u", "1000:1000", "id -u; touch /tmp/x && stat -c %u:%g /tmp/x; touch /etc/x")).toMatch(/^1000\n1000:1000\n/);
  }, 60_000);

  test("owns its network: addresses, settings and /sys are its root's business", async () => {
    const script = "ip addr add 10.9.9.9/32 dev lo && ip -o addr show lo | grep -c 10.9.9.9; mount | grep -c '^sysfs on /sys'";
    expect(await inNone("--cap-add", "NET_ADMIN", script)).toBe("1\n1");
    const sysctls = ["--sysctl", "net.ipv4.ip_forward=1", "--sysctl", "kernel.shmmax=12345"];
    expect(await inNone(...sysctls, "cat /proc/sys/net/ipv4/ip_forward /proc/sys/kernel/shmmax")).toBe("1\n12345");
    expect(await inNone("ip addr add 10.9.9.9/32 dev lo")).toContain("not permitted");
  }, 30_000);

  needs("nftables")(
    "is reached at its published port, and by name",
    async () => {
      await cli("network", "create", "names");
      const web = "echo hello > /index.html; exec httpd -f -h /";
      await cli("run", "-d", "--name", "web", "--network", "names", "-p", "127.0.0.1:0:80", busybox, "sh", "-c", web);
      const port = /:(\d+)/.exec((await cli("port", "web", "80")).stdout)?.[1];
      await until(async () => (await sh("exec", "web", "wget -qO- http://127.0.0.1/")) === "hello");
      expect(await (await fetch(`http://127.0.0.1:${port}/`)).text()).toBe("hello\n");
      expect(await sh("run", "--rm", "--network", "names", busybox, "wget -qO- http://web/")).toBe("hello");
      await cli("rm", "-f", "web");
      await cli("network", "rm", "names");
    },
    30_000,
  );

  test("shares namespaces of another, and then its user namespace as well", async () => {
    const script = "echo there > /dev/shm/file; exec sleep 1000";
    await cli("run", "-d", "--name", "owner", "--network", "none", "--ipc", "shareable", busybox, "sh", "-c", script);
    const owner = await sh("exec", "owner", "readlink /proc/self/ns/user; readlink /proc/self/ns/net");
    const [user = ""] = owner.split("\n");
    const look = "cat /dev/shm/file; readlink /proc/self/ns/user; readlink /proc/self/ns/net";
    const joined = (...args: string[]) => sh("run", "--rm", ...args, busybox, look);
    expect(await joined("--ipc", "container:owner", "--network", "container:owner")).toBe(`there\n${owner}`);
    // A network of its own, which the shared user namespace owns.
    const own = await joined("--ipc", "container:owner", "--network", "none");
    expect(own).toStartWith(`there\n${user}\n`);
    expect(own).not.toContain(owner.split("\n")[1] ?? "");
    const netAdmin = ["--cap-add", "NET_ADMIN", "--pid", "container:owner", "--network", "none"];
    expect(await sh("run", "--rm", ...netAdmin, busybox, "ip addr add 10.9.9.9/32 dev lo && ps | grep -c '[s]leep 1000'")).toBe("1");
    expect(await joined("--userns=host", "--ipc", "container:owner", "--network", "container:owner")).toStartWith("there\n");

    await cli("run", "-d", "--name", "hosted", "--userns=host", "--network", "none", busybox, "sleep", "1000");
    expect(await sh("run", "--rm", "--network", "container:hosted", busybox, "true")).toContain("start this one with --userns=host");
    await cli("run", "-d", "--name", "third", "--network", "none", "--ipc", "shareable", busybox, "sleep", "1000");
    expect(await joined("--ipc", "container:owner", "--network", "container:third")).toContain("have different user namespaces");
    await cli("rm", "-f", "owner", "hosted", "third");
  }, 60_000);

  test("refuses what would need the host's own namespace, unless it has that", async () => {
    const said = async (...args: string[]) => (await cli("run", "--rm", ...args, busybox, "echo", "started")).stderr;
    expect(await said("--privileged")).toContain(
      "privileged mode is incompatible with user namespaces.  You must run the container in the host namespace when running privileged mode",
    );
    expect(await said("--network=host")).toContain("cannot share the host's network namespace when user namespaces are enabled");
    expect(await said("--network=none", "--pid=host")).toContain("cannot share the host PID namespace when user namespaces are enabled");
    const all = await cli(
      "run",
      "--rm",
      "--userns=host",
      "--privileged",
      "--network=host",
      "--pid=host",
      busybox,
      "cat",
      "/proc/self/uid_map",
    );
    expect(all.stdout).toMatch(/^ +0 +0 +4294967295\n$/);
  }, 30_000);

  test("keeps health checks, logs, statistics, restarts and execs", async () => {
    const check = ["--health-cmd", "test $(id -u) = 0", "--health-interval", "100ms"];
    await cli("run", "-d", "--name", "kept", "--network", "none", ...check, busybox, "sh", "-c", "echo started; exec sleep 1000");
    await until(async () => (await cli("inspect", "kept", "--format", "{{.State.Health.Status}}")).stdout === "healthy\n");
    expect((await cli("stats", "--no-stream", "--format", "{{.PIDs}}", "kept")).stdout).toMatch(/^[1-9]\d*\n$/);
    await cli("restart", "-t", "0", "kept");
    expect((await cli("logs", "kept")).stdout).toBe("started\nstarted\n");
    expect(await sh("exec", "--privileged", "-u", "1:2", "kept", "id -u; id -g")).toBe("1\n2");
    expect((await runWithInput(daemon.host, "in\n", "exec", "-i", "kept", "cat")).stdout).toBe("in\n");
    await cli("rm", "-f", "kept");
  }, 30_000);

  test("one hundred starts and ends leave no namespace, mount or descriptor", async () => {
    const descriptors = () => readdirSync(`/proc/${daemon.pid}/fd`).length;
    await inNone("true");
    const before = descriptors();
    const runs = Array.from({ length: 25 }, () => Array.from({ length: 4 }, () => inNone("id -u")));
    for (const four of runs) expect(await Promise.all(four)).toEqual(["0", "0", "0", "0"]);
    await until(() => descriptors() <= before + 4);
    await expectClean(daemon);
  }, 110_000);
});

describe("a daemon with --userns-remap that is killed", () => {
  test("finds its containers as they were", async () => {
    await cli("run", "-d", "--name", "stays", "--network", "none", busybox, "sh", "-c", "echo x > /f; chown 5 /f; exec sleep 1000");
    const pid = await pidOf("stays");
    await daemon.kill();
    await daemon.start();
    expect(await pidOf("stays")).toBe(pid);
    expect(await sh("exec", "stays", "stat -c %u /f; cat /proc/self/uid_map")).toMatch(new RegExp(`^5\n +0 +${base} +65536$`));
    expect(await copiedOut("cp", "stays:/f", "-")).toEqual(["5:0 f"]);
    await expectClean(daemon);
    await cli("restart", "-t", "0", "stays");
    expect(await sh("exec", "stays", "stat -c %u /f")).toBe("5");
    await cli("rm", "-f", "stays");
  }, 30_000);

  test("leaves nothing of starts that were under way", async () => {
    const begun = Array.from({ length: 6 }, (_, index) =>
      cli("run", "-d", "--name", `killed${index}`, "--network", "none", busybox, "sleep", "1000"),
    );
    await Bun.sleep(120);
    await daemon.kill();
    await Promise.all(begun);
    await daemon.start();
    const names = (await cli("ps", "-aq")).stdout.trim().split("\n").filter(Boolean);
    if (names.length > 0) expect((await cli("rm", "-f", ...names)).code).toBe(0);
    await expectClean(daemon);
  }, 60_000);
});

describe("a change of the map", () => {
  test("D11: keeps the ids of a container's files; what runs keeps its map", async () => {
    const script = "test -f /f || { touch /f /g; chown 1000:50 /f; }; exec sleep 1000";
    await cli("run", "-d", "--name", "moves", "--network", "none", busybox, "sh", "-c", script);
    await until(async () => (await sh("exec", "moves", "stat -c %u /f")) === "1000");

    for (const [user, first] of [
      [remapUsers.other, firstIds.other],
      [undefined, 0],
      [remapUsers.one, firstIds.one],
    ] as const) {
      const before = hostUid(await pidOf("moves"));
      setRemap(user);
      await daemon.stop();
      await daemon.start();
      expect(hostUid(await pidOf("moves"))).toBe(before);
      expect(await copiedOut("cp", "moves:/f", "-")).toEqual(["1000:50 f"]);
      expect(await sh("exec", "moves", "stat -c %u:%g /f /g")).toBe("1000:50\n0:0");
      // Who joins it has its map, and no other.
      const shared = ["--network", "container:moves", ...(before === 0 ? ["--userns=host"] : [])];
      const joined = await sh("run", "--rm", ...shared, busybox, "cat /proc/self/uid_map; touch /x; stat -c %u /x");
      expect(joined).toMatch(new RegExp(`^0 +${user === undefined ? 0 : before} .*\n0$`));
      await cli("restart", "-t", "0", "moves");
      expect(hostUid(await pidOf("moves"))).toBe(first);
      expect(await sh("exec", "moves", "stat -c %u:%g /f /g; echo 1 >> /etc/hosts && echo written")).toBe("1000:50\n0:0\nwritten");
    }
    await cli("rm", "-f", "moves");
    await expectClean(daemon);
  }, 60_000);

  test("to a user without ids keeps the daemon from starting, and says why", async () => {
    await daemon.stop();
    setRemap("games");
    expect(await daemon.start().catch(String)).toContain('/etc/subuid has no ids for user \\"games\\"');
    setRemap(remapUsers.one);
    await daemon.start();
    expect(await inNone("id -u")).toBe("0");
  }, 30_000);
});
