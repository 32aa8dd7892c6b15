import { afterAll, expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { TarReader } from "#lib/tar/reader.ts";
import { LayerWriter, type LayerFile } from "./layer-writer.ts";
import { copyReproducibly, newestPackage } from "./reproducible.ts";

const folder = mkdtempSync(join(tmpdir(), "gantry-reproducible-"));
afterAll(() => rmSync(folder, { recursive: true }));
let count = 0;
const packageTime = 1_700_000_000;

/** A system as mmdebstrap makes it at `seconds`: what the packages bring is older, what is made on the way is as old as the run. */
function systemMadeAt(seconds: number): string {
  const path = join(folder, `system-${++count}.tar`);
  using writer = new LayerWriter(path);
  const add = (name: string, modified: number, text?: string): void =>
    writer.add(
      {
        type: text === undefined ? "directory" : "file",
        path: `./${name}`,
        mode: 0o755,
        uid: 0,
        gid: 0,
        modified: { seconds: modified, nanoseconds: 0 },
      },
      Buffer.from(text ?? ""),
    );
  add("", seconds);
  add("dev/", seconds);
  add("dev/null", seconds, "");
  add("etc/hostname", seconds, `host-${seconds}`);
  add("etc/machine-id", seconds, `${seconds}`);
  add("etc/passwd", seconds, "root:x:0:0:root:/root:/bin/bash\n");
  add("etc/shadow", seconds, `root:*:${Math.floor(seconds / 86_400)}:0:99999:7:::\nbin:*:${Math.floor(seconds / 86_400)}:0:99999:7:::\n`);
  add("etc/shadow-", seconds, `${seconds}`);
  add("usr/share/doc/apt/changelog.gz", packageTime, "changes");
  add("usr/share/doc/old/changelog.gz", packageTime - 1000, "changes");
  add("var/log/", seconds);
  add("var/log/dpkg.log", seconds, `${seconds}`);
  writer.finish();
  return path;
}

function copy(path: string): LayerFile {
  using writer = new LayerWriter(join(folder, `copy-${++count}.tar`));
  copyReproducibly(path, writer, newestPackage(path));
  return writer.finish();
}

function namesIn(path: string): string[] {
  const names: string[] = [];
  const reader = new TarReader({ entry: (entry) => void names.push(entry.path) });
  reader.push(readFileSync(path));
  reader.finish();
  return names;
}

test("newestPackage() is the time of the newest changelog", () => {
  expect(newestPackage(systemMadeAt(packageTime + 5))).toBe(packageTime);
});

test("the same packages give the same bytes, whenever the system is made", () => {
  const [today, later] = [copy(systemMadeAt(packageTime + 5)), copy(systemMadeAt(packageTime + 40 * 86_400))];
  expect(later.diffId).toBe(today.diffId);
  expect(today.diffId).toBe(`sha256:${new Bun.CryptoHasher("sha256").update(readFileSync(today.path)).digest("hex")}`);
});

test("what belongs to the machine or to one run is left out, its folders stay", () => {
  expect(namesIn(copy(systemMadeAt(packageTime + 5)).path)).toEqual([
    "dev/",
    "etc/passwd",
    "etc/shadow",
    "usr/share/doc/apt/changelog.gz",
    "usr/share/doc/old/changelog.gz",
    "var/log/",
  ]);
});
