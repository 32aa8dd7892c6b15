import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { unmount } from "./mount.ts";
import { mountOverlayByPage } from "./overlay-option-page.ts";

const openDescriptors = (): number => readdirSync("/proc/self/fd").length;

test.skipIf(process.getuid?.() !== 0)(
  "127 layers with paths of their usual length are mounted, in their order, and the top one is named",
  () => {
    const root = mkdtempSync(join(tmpdir(), "gantry-page-"));
    const [upper, work, target] = ["upper", "work", "target"].map((name) => `${root}/containers/${"c".repeat(64)}/${name}`);
    if (!upper || !work || !target) throw new Error("three folders");
    for (const folder of [upper, work, target]) mkdirSync(folder, { recursive: true });
    const lowers = Array.from({ length: 127 }, (_, index) => `${root}/layers/chains/${String(index).padStart(64, "0")}/fs`);
    for (const [index, lower] of lowers.entries()) {
      mkdirSync(lower, { recursive: true });
      writeFileSync(`${lower}/of-all`, String(index));
      writeFileSync(`${lower}/of-${index}`, String(index));
    }
    const before = openDescriptors();
    try {
      mountOverlayByPage({ lowers, upper, work, target, options: ["index=off"] });
      expect(openDescriptors()).toBe(before);
      expect(readFileSync(`${target}/of-all`, "utf8")).toBe("0");
      for (const index of lowers.keys()) expect(readFileSync(`${target}/of-${index}`, "utf8")).toBe(String(index));
      writeFileSync(`${target}/new`, "new");
      expect(readFileSync(`${upper}/new`, "utf8")).toBe("new");
      expect(readFileSync("/proc/self/mountinfo", "utf8")).toContain(`lowerdir=${lowers[0]}:`);
    } finally {
      unmount(target);
      rmSync(root, { recursive: true });
    }
  },
);

test("a layer that is not there is named, and nothing stays open", () => {
  const lowers = Array.from({ length: 60 }, (_, index) => `/tmp/none/layers/chains/${String(index).padStart(64, "0")}/fs`);
  const before = openDescriptors();
  expect(() => mountOverlayByPage({ lowers, target: "/nowhere", options: [] })).toThrow(
    `open layer ${lowers[1]}: no such file or directory`,
  );
  expect(openDescriptors()).toBe(before);
});

test("what does not fit however short the names are is refused with the reason", () => {
  const lowers = Array.from({ length: 400 }, () => "/tmp/../tmp");
  expect(() => mountOverlayByPage({ lowers, target: "/nowhere", options: [] })).toThrow(
    "mount overlay on /nowhere: 400 layers do not fit into a page of options; Linux 6.8 or newer takes them",
  );
});

test("what the kernel refuses names the target", () => {
  expect(() => mountOverlayByPage({ lowers: ["/nowhere:a,b"], target: "/nowhere", options: [] })).toThrow("mount overlay on /nowhere: ");
});
