import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { lstatSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { archive, member } from "../../../src/lib/tar/fixtures.ts";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { loadBusybox } from "../../support/images.ts";
import { Copies, messageOf } from "./archive-support.ts";

let daemon: TestDaemon;
let copies: Copies;
let host: string;
const made: string[] = [];
const create: Copies["create"] = async (config) => kept(await copies.create(config));
const run: Copies["run"] = async (config) => kept(await copies.run(config));

function kept(id: string): string {
  made.push(id);
  return id;
}

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
  copies = new Copies(daemon);
  host = mkdtempSync(join(tmpdir(), "gantry-archive-"));
}, 60_000);
afterAll(async () => {
  for (const id of made) await copies.remove(id).catch(() => undefined); // some tests remove their own
  rmSync(host, { recursive: true, force: true });
  await endClean(daemon);
}, 60_000);

const file = archive(member("f", {}, "content"));

describe("archive of a container (OBS-11)", () => {
  test("goes in and out while it is new, runs, is paused and has stopped", async () => {
    const id = await create();
    const roundTrip = async (name: string): Promise<void> => {
      expect((await copies.put(id, "/root", archive(member(name, { mode: 0o751, uid: 7, gid: 8 }, name)))).status).toBe(200);
      const found = (await copies.entries(id, `/root/${name}`)).get(name);
      expect(found?.content).toBe(name);
      expect(found?.entry).toMatchObject({ type: "file", mode: 0o751, uid: 7, gid: 8, modified: { seconds: 1_000_000_000 } });
    };
    await roundTrip("new");
    await copies.act(id, "start");
    await roundTrip("running");
    await copies.act(id, "pause");
    await roundTrip("paused");
    await copies.act(id, "unpause");
    expect(await copies.shell(id, "cd /root; ls | sort | tr '\\n' ' '; cat paused")).toBe("new paused running paused");
    await copies.act(id, "kill");
    await roundTrip("stopped");
  });

  test("names, links, times and kinds survive, whatever they are", async () => {
    const id = await run();
    const long = `${"n".repeat(200)}/${"m".repeat(200)}`;
    const odd = Buffer.from([0xff, 0xfe, 0x41]).toString("latin1");
    const sent = archive(
      member("t/", { mode: 0o1770 }),
      member(`t/${long}`, {}, "long"),
      member(`t/${odd}`, {}, "odd"),
      member("t/ä\u00f6".replace("ä", Buffer.from("ä").toString("latin1")), {}, "x"),
      member("t/one", {}, "same"),
      member("t/two", { type: "hardlink", link: "t/one" }),
      member("t/link", { type: "symlink", link: "../../../outside" }),
      member("t/fifo", { type: "fifo" }),
      member("t/null", { type: "character", deviceMajor: 1, deviceMinor: 3, mode: 0o666 }),
      member("t/setuid", { mode: 0o4755, uid: 3 }, "s"),
      member(
        "t/capable",
        { xattrs: new Map([["security.capability", Buffer.from("0100000200200000000000000000000000000000", "hex")]]) },
        "c",
      ),
    );
    expect((await copies.put(id, "/", sent)).status).toBe(200);
    const found = await copies.entries(id, "/t");
    expect(found.get("t/")?.entry).toMatchObject({ mode: 0o1770, modified: { seconds: 1_000_000_000 } });
    expect(found.get(`t/${long}`)?.content).toBe("long");
    expect(found.get(`t/${odd}`)?.content).toBe("odd");
    expect(found.get("t/two")?.entry).toMatchObject({ type: "hardlink", link: "t/one" });
    expect(found.get("t/link")?.entry).toMatchObject({ type: "symlink", link: "../../../outside" });
    expect(found.get("t/fifo")?.entry.type).toBe("fifo");
    expect(found.get("t/null")?.entry).toMatchObject({ type: "character", deviceMajor: 1, deviceMinor: 3 });
    expect(found.get("t/setuid")?.entry).toMatchObject({ mode: 0o4755, uid: 3 });
    expect(found.get("t/capable")?.entry.xattrs.get("security.capability")?.length).toBe(20);
    expect(await copies.shell(id, "stat -c '%h %i' /t/one /t/two | uniq | wc -l")).toBe("1");
  });

  test("an archive may be compressed; one that needs a program of the host is refused (A12)", async () => {
    const id = await create();
    expect((await copies.put(id, "/root", gzipSync(archive(member("z", {}, "zipped"))))).status).toBe(200);
    expect((await copies.put(id, "/root", Bun.zstdCompressSync(archive(member("s", {}, "standard"))))).status).toBe(200);
    expect((await copies.entries(id, "/root/z")).get("z")?.content).toBe("zipped");
    expect((await copies.entries(id, "/root/s")).get("s")?.content).toBe("standard");
    const answer = await copies.put(id, "/root", Buffer.from("BZh91AY&SY").toString("latin1"));
    expect(answer.status).toBe(400);
    expect(await messageOf(answer)).toBe("archives compressed with bzip2 are not supported: use gzip, zstd or none");
  });

  test("a fifo is never opened, and a sparse file stays one", async () => {
    const id = await run();
    await copies.shell(id, "mkdir /p; mkfifo /p/fifo; echo x >/p/file; truncate -s 64M /p/sparse");
    const found = await copies.get(id, "/p");
    const bytes = Buffer.from(await found.arrayBuffer());
    expect(bytes.length).toBeGreaterThan(64 << 20);
    expect((await copies.put(id, "/root", bytes)).status).toBe(200);
    expect(await copies.shell(id, "stat -c %s /root/p/sparse; du -k /root/p/sparse | cut -f1")).toBe(`${64 << 20}\n0`);
  });

  test("a large file arrives whole", async () => {
    const id = await run();
    await copies.shell(id, "dd if=/dev/urandom of=/big bs=1M count=48 2>/dev/null");
    const bytes = Buffer.from(await (await copies.get(id, "/big")).arrayBuffer());
    expect((await copies.put(id, "/root", bytes)).status).toBe(200);
    const [first = "", second = ""] = (await copies.shell(id, "sha256sum </big; sha256sum </root/big")).split("\n");
    expect(second).toBe(first);
  });

  test("volumes, binds and tmpfs are seen and written as the container has them", async () => {
    mkdirSync(join(host, "bind/sub"), { recursive: true });
    writeFileSync(join(host, "bind/sub/f"), "of the host");
    const HostConfig = {
      Mounts: [{ Type: "volume", Source: `${daemon.dataRoot.split("/").at(-1) ?? ""}-v`, Target: "/etc" }],
      Binds: [`${host}/bind:/deep/bind:ro`, `${host}/bind:/rw`],
      Tmpfs: { "/t": "" },
    };
    const id = await create({ HostConfig });
    // The image's content is in the volume before the first start.
    expect((await copies.entries(id, "/etc/passwd")).get("passwd")?.content).toContain("root:");
    expect((await copies.entries(id, "/deep")).get("deep/bind/sub/f")?.content).toBe("of the host");
    await copies.act(id, "start");
    await copies.shell(id, "echo in memory >/t/f");
    expect((await copies.entries(id, "/t/f")).get("f")?.content).toBe("in memory\n");
    for (const place of ["/t", "/rw", "/etc"]) expect((await copies.put(id, place, archive(member("in", {}, place)))).status).toBe(200);
    expect(await copies.shell(id, "cat /t/in /rw/in /etc/in")).toBe("/t/rw/etc");
    expect(readFileSync(join(host, "bind/in"), "utf8")).toBe("/rw");
    expect((await copies.entries(id, "/etc/hosts")).get("hosts")?.content).toContain("localhost");
    await copies.act(id, "kill");
    expect((await copies.entries(id, "/etc/in")).get("in")?.content).toBe("/etc");
    expect((await copies.get(id, "/t/in")).status).toBe(404);
  });

  test("what is read-only refuses, by word and by the kernel (A14)", async () => {
    mkdirSync(join(host, "ro/sub"), { recursive: true });
    const id = await run({ Volumes: { "/rw": {} }, HostConfig: { ReadonlyRootfs: true, Binds: [`${host}/ro:/ro:ro`] } });
    const refusal = async (path: string, body = file): Promise<string> => {
      const answer = await copies.put(id, path, body);
      expect(answer.status).toBe(403);
      return messageOf(answer);
    };
    expect(await refusal("/")).toBe("container rootfs is marked read-only");
    expect(await refusal("/ro")).toBe("mounted volume is marked read-only");
    expect(await refusal("/ro/sub")).toBe("mounted volume is marked read-only");
    expect((await copies.put(id, "/rw", file)).status).toBe(200);
    // Named so that only the way leads there.
    expect(await refusal("/rw", archive(member("l", { type: "symlink", link: "/ro" }), member("l/f", {}, "x")))).toContain(
      "read-only file system",
    );
    expect(lstatSync(join(host, "ro/f"), { throwIfNoEntry: false })).toBeUndefined();
    const other = await run({ HostConfig: { Binds: [`${host}/ro:/ro:ro`] } });
    expect(await messageOf(await copies.put(other, "/", archive(member("ro/f", {}, "x"))))).toContain("read-only file system");
  });

  test("directories and files replace one another unless they must not", async () => {
    const id = await create();
    const folder = archive(member("f/"), member("f/g", {}, "g"));
    const keep = "&noOverwriteDirNonDir=1";
    await copies.put(id, "/root", file);
    const first = await copies.put(id, "/root", folder, keep);
    expect([first.status, await messageOf(first)]).toEqual([400, 'cannot overwrite non-directory "f" with directory "/root"']);
    expect((await copies.put(id, "/root", folder)).status).toBe(200);
    const second = await copies.put(id, "/root", file, keep);
    expect([second.status, await messageOf(second)]).toEqual([400, 'cannot overwrite directory "f" with non-directory "/root"']);
    expect((await copies.put(id, "/root", file)).status).toBe(200);
    expect((await copies.entries(id, "/root/f")).get("f")?.content).toBe("content");
  });

  test("copyUIDGID gives everything to the container's user, by the container's own names", async () => {
    const id = await create({ User: "nobody" });
    await copies.put(id, "/root", archive(member("f", { uid: 5, gid: 6 }, "x")), "&copyUIDGID=1");
    expect((await copies.entries(id, "/root/f")).get("f")?.entry).toMatchObject({ uid: 65534, gid: 65534 });
  });

  test("a path is described as it is, and a link by where it leads in the end", async () => {
    const id = await run();
    await copies.shell(id, "mkdir /d; cd /d; echo abc >f; chmod 4711 f; ln -s ../d/f l; ln -s l ll; ln -s /none/x dead; ln -s loop loop");
    expect(await copies.stat(id, "/d/f")).toMatchObject({ name: "f", size: 4, mode: 2 ** 23 + 0o711, linkTarget: "" });
    expect(await copies.stat(id, "d")).toMatchObject({ name: "d", mode: 2 ** 31 + 0o755 });
    expect(await copies.stat(id, "/d/ll")).toMatchObject({ name: "ll", size: 1, mode: 2 ** 27 + 0o777, linkTarget: "/d/f" });
    expect(await copies.stat(id, "/d/dead")).toMatchObject({ linkTarget: "/none/x" });
    expect(await copies.stat(id, "/none")).toBeUndefined();
    expect((await copies.get(id, "/d/loop/x")).status).toBe(400);
    expect((await copies.get(id, "/d/f/x")).status).toBe(400);
  });
});

describe("hostile archives", () => {
  test("nothing outside the container is made, changed, linked or removed (A1)", async () => {
    const id = await run();
    const secret = join(host, "secret");
    writeFileSync(secret, "host");
    const before = lstatSync(secret);
    const up = "../".repeat(12);
    const attacks: readonly (readonly [string, Buffer])[] = [
      ["a name with ..", member(`../../../..${secret}`, {}, "x")],
      ["a name with .. behind others", member(`a/b/${up}${secret.slice(1)}`, {}, "x")],
      ["an absolute name", member(secret, {}, "x")],
      ["an absolute link as parent", Buffer.concat([member("l", { type: "symlink", link: host }), member("l/secret", {}, "x")])],
      [
        "a relative link as parent",
        Buffer.concat([member("r", { type: "symlink", link: `${up}${host.slice(1)}` }), member("r/secret", {}, "x")]),
      ],
      ["a link itself", Buffer.concat([member("s", { type: "symlink", link: secret }), member("s", {}, "x")])],
      ["a hard link by an absolute name", Buffer.concat([member("h", { type: "hardlink", link: secret }), member("h", {}, "x")])],
      ["a hard link with ..", Buffer.concat([member("h", { type: "hardlink", link: `${up}${secret.slice(1)}` }), member("h", {}, "x")])],
      [
        "a hard link through a link",
        Buffer.concat([
          member("k", { type: "symlink", link: host }),
          member("h", { type: "hardlink", link: "k/secret" }),
          member("h", {}, "x"),
        ]),
      ],
    ];
    for (const [what, bytes] of attacks) {
      const answer = await copies.put(id, "/root", archive(bytes));
      expect([what, answer.status < 500]).toEqual([what, true]);
      await answer.arrayBuffer();
    }
    expect(readFileSync(secret, "utf8")).toBe("host");
    expect(lstatSync(secret)).toMatchObject({ nlink: 1, mode: before.mode, mtimeMs: before.mtimeMs });
  });

  test("mode, owner, time and attributes of a link do not reach what it leads to; overlay's own are dropped (A3)", async () => {
    const id = await create();
    const { entry: before } = (await copies.entries(id, "/etc/passwd")).get("passwd") ?? {};
    const xattrs = new Map([
      ["trusted.overlay.opaque", Buffer.from("y")],
      ["user.a", Buffer.from("b")],
    ]);
    const link = member("l", {
      type: "symlink",
      link: "/etc/passwd",
      mode: 0o777,
      uid: 9,
      gid: 9,
      xattrs: new Map([["user.a", Buffer.from("b")]]),
    });
    expect((await copies.put(id, "/root", archive(link, member("etc/", { xattrs })))).status).toBe(200);
    expect((await copies.entries(id, "/etc/passwd")).get("passwd")?.entry).toMatchObject({
      mode: before?.mode ?? 0,
      uid: 0,
      modified: before?.modified ?? {},
    });
    expect((await copies.put(id, "/", archive(member("etc/", { xattrs })))).status).toBe(200);
    expect((await copies.entries(id, "/etc/group")).get("group")?.content).toContain("root");
  });

  test("a damaged archive is the caller's fault", async () => {
    const id = await create();
    for (const body of [file.subarray(0, 515), Buffer.alloc(512, 1), "nonsense"])
      expect((await copies.put(id, "/root", body)).status).toBe(400);
    expect((await copies.put(id, "/root", "")).status).toBe(200);
  });
});
