import { expect, test } from "bun:test";
import { mkdirSync } from "node:fs";
import { projectRange } from "../../../src/lib/instance.ts";
import { limitFolder } from "../../../src/os/project-quota.ts";
import { lackOf } from "../../support/host-has.ts";
import { containerRecord, plantInstance } from "./planted-instance.ts";

const [one, two] = ["ab".repeat(32), "cd".repeat(32)];
const volume = {
  name: "kept",
  driver: "local",
  options: { size: "1m" },
  labels: null,
  createdAt: "2026-01-01T00:00:00Z",
  anonymous: false,
};

test("a project of two records is told, with or without quotas", async () => {
  using planted = plantInstance();
  const quota = { id: projectRange(planted.instance).first + 1, sizeBytes: 1 << 20 };
  planted.put("container", one, containerRecord(one, { projectQuota: quota }));
  planted.put("container", two, containerRecord(two, { projectQuota: quota }));
  expect(await planted.audit()).toEqual([
    { kind: "quota", subject: `project ${quota.id}`, message: `is that of ${one} and ${two}, should be of one` },
  ]);
});

test("a folder that is not limited as its record says is told", async () => {
  using planted = plantInstance();
  const { first } = projectRange(planted.instance);
  planted.put("volume", "kept", { ...volume, projectQuota: { id: first + 1, sizeBytes: 1 << 20 } });
  const folder = `${planted.paths.volumes}/kept/_data`;
  planted.folder(folder);
  const [found, ...more] = await planted.audit();
  expect(more).toEqual([]);
  expect(found).toMatchObject({ kind: "quota", subject: "kept" });
  expect(found?.message).toMatch(/belongs to project 0, should be|cannot be read/);
});

test.skipIf(lackOf("project quotas") !== undefined)("a limit that is another, and one that nobody has, are told", async () => {
  using planted = plantInstance();
  const { first } = projectRange(planted.instance);
  const folder = `${planted.paths.volumes}/kept/_data`;
  mkdirSync(folder, { recursive: true });
  limitFolder(folder, first + 1, 2 << 20);
  planted.put("volume", "kept", { ...volume, projectQuota: { id: first + 1, sizeBytes: 1 << 20 } });
  expect(await planted.audit()).toEqual([
    { kind: "quota", subject: "kept", message: `project ${first + 1} is limited to 2097152 bytes, should be 1048576` },
  ]);
  limitFolder(folder, first + 1, 1 << 20);
  expect(await planted.audit()).toEqual([]);
  planted.put("volume", "kept", volume);
  expect((await planted.audit()).map(({ kind, subject }) => [kind, subject])).toEqual([["quota", `project ${first + 1}`]]);
});
