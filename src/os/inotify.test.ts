import { afterAll, expect, test } from "bun:test";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { watchFolder } from "./inotify.ts";

const root = mkdtempSync(join(tmpdir(), "gantry-inotify-"));
afterAll(() => rmSync(root, { recursive: true, force: true }));

function folder(name: string): string {
  const path = join(root, name);
  mkdirSync(path);
  return path;
}

async function until(condition: () => boolean): Promise<void> {
  for (const end = performance.now() + 5000; !condition(); await Bun.sleep(1)) if (performance.now() > end) throw new Error("not in time");
}

test("the last of writes that follow each other within a millisecond is told", async () => {
  const path = folder("burst");
  const file = join(path, "log");
  writeFileSync(file, "");
  let seen = 0;
  const watch = watchFolder(path, () => (seen = readFileSync(file).length));
  for (let round = 1; round <= 20; round++) {
    const script = `for i in 1 2 3 4; do echo x; done >> '${file}'`;
    await Bun.spawn(["sh", "-c", script]).exited;
    await until(() => seen === round * 8);
  }
  watch.close();
});

test("each file that is moved into a folder is told by its name", async () => {
  const path = folder("moved");
  const names = new Set<string | undefined>();
  const watch = watchFolder(path, (name) => names.add(name));
  for (let index = 0; index < 500; index++) {
    writeFileSync(join(root, "new"), "0");
    renameSync(join(root, "new"), join(path, `é${index}`));
  }
  await until(() => names.size === 500);
  expect(names.has("é499")).toBe(true);
  watch.close();
});

test("two listeners of one folder hear the same; one that has closed hears nothing", async () => {
  const path = folder("shared");
  const heard = [0, 0];
  const [first, second] = [0, 1].map((index) => watchFolder(path, () => (heard[index] = (heard[index] ?? 0) + 1)));
  appendFileSync(join(path, "one"), "1");
  await until(() => heard.every((count) => count > 0));
  first?.close();
  const before = [...heard];
  rmSync(join(path, "one"));
  await until(() => (heard[1] ?? 0) > (before[1] ?? 0));
  expect(heard[0]).toBe(before[0] ?? 0);
  second?.close();
});

test("a folder that is removed and made again is watched anew", async () => {
  const path = folder("again");
  watchFolder(path, () => {});
  rmSync(path, { recursive: true });
  mkdirSync(path);
  let heard = 0;
  const watch = watchFolder(path, () => heard++);
  writeFileSync(join(path, "one"), "1");
  await until(() => heard > 0);
  watch.close();
});

test("a folder that is not there is an error", () => {
  expect(() => watchFolder(join(root, "missing"), () => {})).toThrow("no such file or directory");
});
