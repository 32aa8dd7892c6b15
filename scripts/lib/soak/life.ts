import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { CompiledDaemon } from "../compiled-daemon.ts";
import { descriptors, gantry, image, removeAll, type Answer } from "./client.ts";

const containers = { printers: 30, failing: 40, used: 30 } as const;
const killIntervalMilliseconds = 30_000;
const linesOfARun = 200;
/** No line of these may be rotated away: they are compared at the end. */
const wholeLog = ["--log-opt", "max-size=2g"];
/** What a daemon takes that has many containers and has just started is no leak. */
const allowedDescriptors = 40;

/**
 * A hundred containers that print, fail, are restarted, exec'd and copied into, while the daemon is killed at a random moment of each half
 * minute. @returns what must not be
 */
export async function life(daemon: CompiledDaemon, minutes: number, tell: (line: string) => void): Promise<string[]> {
  const faults: string[] = [];
  const before = descriptors(daemon);
  await startAll(daemon, faults);
  const end = performance.now() + minutes * 60_000;
  const isOver = (): boolean => performance.now() > end;
  const counts = { execs: 0, copies: 0, runs: 0, kills: 0 };
  await Promise.all([
    killNowAndThen(daemon, isOver, counts),
    ...[0, 1].map((worker) => useContainers(daemon, worker, isOver, counts, faults)),
    runShort(daemon, isOver, counts, faults),
  ]);
  await checkPrinters(daemon, faults);
  await checkFailing(daemon, faults);
  const memory = daemon.residentMegabytes();
  await removeAll(daemon);
  await Bun.sleep(2000);
  const left = descriptors(daemon) - before;
  if (left > allowedDescriptors) faults.push(`${left} descriptors more after an hour of life`);
  tell(
    `${minutes} minutes of ${containers.printers + containers.failing + containers.used} containers: ${counts.kills} kills, ${counts.execs} execs, ${counts.copies} copies, ${counts.runs} runs; daemon ${memory} MB`,
  );
  return faults;
}

async function startAll(daemon: CompiledDaemon, faults: string[]): Promise<void> {
  const count = (code: number) => `i=0; while [ $i -lt ${linesOfARun} ]; do echo line $i; i=$((i+1)); usleep 20000; done; exit ${code}`;
  const start = async (name: string, ...args: string[]): Promise<void> => {
    const { code, stderr } = await gantry(daemon, "run", "-d", "--name", name, "--network", "none", ...wholeLog, ...args);
    if (code !== 0) faults.push(`${name} did not start: ${stderr}`);
  };
  for (let index = 0; index < containers.printers; index++)
    await start(`prints-${index}`, image, "sh", "-c", "i=0; while :; do echo line $i; i=$((i+1)); usleep 50000; done");
  for (let index = 0; index < containers.failing; index++)
    await start(`fails-${index}`, "--restart", index % 2 ? "always" : "on-failure", image, "sh", "-c", count(1 + (index % 9)));
  for (let index = 0; index < containers.used; index++) await start(`used-${index}`, image, "sleep", "1000000");
}

async function killNowAndThen(daemon: CompiledDaemon, isOver: () => boolean, counts: { kills: number }): Promise<void> {
  while (!isOver()) {
    const wait = Math.random() * killIntervalMilliseconds;
    await Bun.sleep(wait);
    if (isOver()) return;
    await daemon.kill();
    await daemon.start();
    counts.kills++;
    await Bun.sleep(killIntervalMilliseconds - wait);
  }
}

/** Nobody answers, or the answer breaks off: the daemon was killed meanwhile. */
function wasAway({ code, stderr }: Answer): boolean {
  return code !== 0 && /Cannot connect|EOF|error during connect|connection/i.test(stderr);
}

async function useContainers(
  daemon: CompiledDaemon,
  worker: number,
  isOver: () => boolean,
  counts: { execs: number; copies: number },
  faults: string[],
): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "gantry-soak-"));
  const [here, back] = [join(folder, "in"), join(folder, "out")];
  for (let round = worker; !isOver(); round += 2) {
    const name = `used-${round % containers.used}`;
    const word = `word ${round}`;
    const said = await gantry(daemon, "exec", name, "sh", "-c", `echo ${word}; exit ${round % 5}`);
    if (!wasAway(said) && (said.stdout !== `${word}\n` || said.code !== round % 5)) faults.push(`exec in ${name}: ${JSON.stringify(said)}`);
    counts.execs++;
    writeFileSync(here, word);
    const into = await gantry(daemon, "cp", here, `${name}:/tmp/file-${worker}`);
    const out = await gantry(daemon, "cp", `${name}:/tmp/file-${worker}`, back);
    for (const copied of [into, out]) if (copied.code !== 0 && !wasAway(copied)) faults.push(`cp of ${name}: ${JSON.stringify(copied)}`);
    if (into.code === 0 && out.code === 0 && readFileSync(back, "utf8") !== word) faults.push(`cp of ${name} brought another file`);
    counts.copies++;
    await Bun.sleep(100);
  }
  rmSync(folder, { recursive: true });
}

/** Started while the daemon is there, ended while it may not be: the code is known all the same. */
async function runShort(daemon: CompiledDaemon, isOver: () => boolean, counts: { runs: number }, faults: string[]): Promise<void> {
  for (let round = 0; !isOver(); round++) {
    const name = `short-${round}`;
    const wanted = 10 + (round % 50);
    const started = await gantry(daemon, "run", "-d", "--name", name, image, "sh", "-c", `sleep 1; exit ${wanted}`);
    if (started.code !== 0) {
      if (!wasAway(started)) faults.push(`${name} did not start: ${started.stderr}`);
      continue;
    }
    let waited = await gantry(daemon, "wait", name);
    while (waited.code !== 0 && wasAway(waited)) {
      await Bun.sleep(200);
      waited = await gantry(daemon, "wait", name);
    }
    if (waited.stdout.trim() !== String(wanted))
      faults.push(`${name}: exit code ${waited.stdout.trim()} ${waited.stderr} instead of ${wanted}`);
    await gantry(daemon, "rm", "-f", name);
    counts.runs++;
  }
}

async function checkPrinters(daemon: CompiledDaemon, faults: string[]): Promise<void> {
  for (let index = 0; index < containers.printers; index++) {
    const name = `prints-${index}`;
    await gantry(daemon, "kill", name);
    await gantry(daemon, "wait", name);
    const lines = (await gantry(daemon, "logs", name)).stdout.split("\n").slice(0, -1);
    const at = lines.findIndex((line, position) => line !== `line ${position}`);
    if (at >= 0 || lines.length === 0) faults.push(`${name}: line ${at} of ${lines.length} is ${JSON.stringify(lines[at])}`);
  }
}

/** Each run prints the same lines: the log is a row of whole runs, and the last one may be under way. */
async function checkFailing(daemon: CompiledDaemon, faults: string[]): Promise<void> {
  for (let index = 0; index < containers.failing; index++) {
    const name = `fails-${index}`;
    const wanted = 1 + (index % 9);
    await gantry(daemon, "stop", "-t", "0", name);
    const lines = (await gantry(daemon, "logs", name)).stdout.split("\n").slice(0, -1);
    const at = lines.findIndex((line, position) => line !== `line ${position % linesOfARun}`);
    if (at >= 0 || lines.length === 0) faults.push(`${name}: line ${at} of ${lines.length} is ${JSON.stringify(lines[at])}`);
    const shown = await gantry(daemon, "inspect", name, "--format", "{{.State.ExitCode}} {{.RestartCount}}");
    const [code, restarts] = shown.stdout.trim().split(" ").map(Number);
    // Stopped between two runs, or killed in the middle of one.
    if (code !== wanted && code !== 137) faults.push(`${name}: exit code ${code} instead of ${wanted}`);
    const runs = Math.floor(lines.length / linesOfARun);
    if (restarts !== undefined && restarts > runs + 1) faults.push(`${name}: ${restarts} restarts, and ${runs} runs in its log`);
  }
}
