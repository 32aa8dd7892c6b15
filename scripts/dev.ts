// A daemon from the sources with a throw-away data root, restarted when a source changes. Ctrl-C ends it and takes everything away.
import { mkdtempSync, watch } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { ensureRoot } from "./lib/host.ts";
import { removeInstance } from "./lib/remove-instance.ts";

const quietMilliseconds = 200; // editors and checkouts write several files

await ensureRoot();
const main = resolve(import.meta.dir, "../src/main.ts");
const dataRoot = mkdtempSync(join(tmpdir(), "gantry-dev-"));
const execRoot = `/run/gantry-dev-${process.pid}`;
const host = `unix://${execRoot}/gantry.sock`;
const command = [
  process.execPath,
  main,
  "daemon",
  "--data-root",
  dataRoot,
  "--exec-root",
  execRoot,
  "-H",
  host,
  "--debug",
  "--config-file=/dev/null",
];
let isEnding = false;
let daemon = start();
let timer: ReturnType<typeof setTimeout> | undefined;
const watcher = watch(resolve(import.meta.dir, "../src"), { recursive: true }, (_event, file) => {
  if (!file?.endsWith(".ts") || file.endsWith(".test.ts")) return;
  clearTimeout(timer);
  timer = setTimeout(() => void restart(file), quietMilliseconds);
});
console.error(`export DOCKER_HOST=${host}`);
process.once("SIGINT", () => void end());
process.once("SIGTERM", () => void end());

function start(): Bun.Subprocess {
  // A session of its own: Ctrl-C must not end it before its containers are gone.
  return Bun.spawn(command, { stdio: ["ignore", "inherit", "inherit"], detached: true });
}

async function restart(file: string): Promise<void> {
  if (isEnding) return;
  console.error(`${file} changed: restarting`);
  daemon.kill("SIGTERM");
  await daemon.exited;
  if (!isEnding) daemon = start();
}

async function end(): Promise<void> {
  isEnding = true;
  clearTimeout(timer);
  watcher.close();
  await removeContainers();
  daemon.kill("SIGTERM");
  await daemon.exited;
  removeInstance({ dataRoot, execRoot });
  process.exit(0);
}

async function removeContainers(): Promise<void> {
  const client = [process.execPath, main, "-H", host];
  const ids = Bun.spawnSync([...client, "ps", "-aq"])
    .stdout.toString()
    .split("\n")
    .filter(Boolean);
  if (ids.length > 0) await Bun.spawn([...client, "rm", "-f", "-v", ...ids], { stdio: ["ignore", "ignore", "inherit"] }).exited;
}
