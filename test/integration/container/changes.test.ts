import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { archive, member } from "../../../src/lib/tar/fixtures.ts";
import { endClean } from "../../support/audit.ts";
import { startDaemon, type TestDaemon } from "../../support/daemon.ts";
import { loadBusybox } from "../../support/images.ts";
import { Copies, entriesOf } from "./archive-support.ts";

let daemon: TestDaemon;
let copies: Copies;

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
  copies = new Copies(daemon);
}, 60_000);
afterAll(async () => {
  await endClean(daemon);
}, 60_000);

async function changes(id: string): Promise<string[] | null> {
  const { body } = await daemon.request("GET", `/containers/${id}/changes`);
  const list = body as { Path: string; Kind: number }[] | null;
  return list && list.map(({ Path, Kind }) => `${"CAD"[Kind] ?? "?"} ${Path}`);
}

describe("changes of a container (OBS-14)", () => {
  test("there are none before a start, and none by the start itself", async () => {
    const id = await copies.create();
    expect(await changes(id)).toBeNull();
    await copies.act(id, "start");
    expect(await changes(id)).toBeNull();
    await copies.get(id, "/etc").then((answer) => answer.arrayBuffer());
    expect(await changes(id)).toBeNull();
    await copies.remove(id);
  });

  test("what was added, changed and deleted is told, with the folders around it, and places of mounts", async () => {
    const id = await copies.run({ Volumes: { "/volume": {} }, HostConfig: { Tmpfs: { "/memory": "" } } });
    await copies.shell(
      id,
      "echo x >>/etc/passwd; rm -r /home; mkdir -p /n/m; echo y >/n/m/f; touch /bin/busybox; chmod 700 /var; echo >/volume/in; cat /etc/group >/dev/null",
    );
    const expected = [
      ...["C /bin", "C /bin/busybox", "C /etc", "C /etc/passwd", "D /home", "A /memory"],
      ...["A /n", "A /n/m", "A /n/m/f", "C /var", "A /volume"],
    ];
    expect(await changes(id)).toEqual(expected);
    await copies.act(id, "pause");
    expect(await changes(id)).toEqual(expected);
    await copies.act(id, "unpause");
    await copies.act(id, "kill");
    expect(await changes(id)).toEqual(expected);
    await copies.put(id, "/dev", archive(member("thing", {}, "x")));
    expect(await changes(id)).toEqual([...expected.slice(0, 2), "C /dev", "A /dev/thing", ...expected.slice(2)]);
    await copies.remove(id);
  });
});

describe("export of a container", () => {
  test("is the merged root file system without mounts, whole while it runs and when it has stopped", async () => {
    const id = await copies.run({ Volumes: { "/volume": {} } });
    await copies.shell(id, "echo new >/root/new; rm /etc/group; echo in >/volume/in; ln /root/new /root/hard");
    const look = async (): Promise<void> => {
      const answer = await copies.export(id);
      expect(answer.headers.get("content-type")).toBe("application/octet-stream");
      const found = await entriesOf(answer);
      expect(found.get("root/hard")?.content).toBe("new\n");
      expect(found.get("root/new")?.entry).toMatchObject({ type: "hardlink", link: "root/hard" });
      expect(found.get("bin/busybox")?.entry.sizeBytes).toBeGreaterThan(100_000);
      expect(found.get(".dockerenv")?.entry).toMatchObject({ type: "file", mode: 0o755, sizeBytes: 0 });
      for (const name of ["dev/", "dev/pts/", "proc/", "sys/", "etc/hosts", "etc/mtab", "volume/"])
        expect([name, found.has(name)]).toEqual([name, true]);
      for (const name of ["./", "etc/group", "volume/in", "proc/1/"]) expect([name, found.has(name)]).toEqual([name, false]);
    };
    await look();
    await copies.act(id, "kill");
    await look();
    await copies.remove(id);
  });
});
