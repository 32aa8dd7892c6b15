import { expect, test } from "bun:test";
import { renameSync, watch, writeFileSync, appendFileSync, mkdirSync } from "node:fs";
import { socketFolder, until } from "./socket-folder.ts";

test("fs.watch tells of each of 2000 files that are renamed into a folder", async () => {
  using folder = socketFolder();
  const exits = folder.path("exits");
  mkdirSync(exits);
  const seen = new Set<string>();
  const watcher = watch(exits, (_event, name) => void (name && seen.add(name)));
  for (let index = 0; index < 2000; index++) {
    writeFileSync(folder.path("new"), "0");
    renameSync(folder.path("new"), `${exits}/${index}`);
    // As under load: the loop gets a turn now and then only.
    if (index % 97 === 0) await new Promise((resolve) => setImmediate(resolve));
  }
  await until("all were seen", () => seen.size === 2000);
  watcher.close();
  expect(seen.has("1999")).toBe(true);
});

test("fs.watch on a folder tells that a file in it has grown", async () => {
  using folder = socketFolder();
  writeFileSync(folder.path("log"), "");
  let events = 0;
  const watcher = watch(folder.path("."), () => events++);
  for (let round = 0; round < 50; round++) {
    const before = events;
    appendFileSync(folder.path("log"), "line\n");
    await until(`event of append ${round}`, () => events > before);
  }
  watcher.close();
});
