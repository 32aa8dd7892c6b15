import { auditInstance } from "../../../src/helper/audit/audit.ts";
import { startCompiledDaemon, type CompiledDaemon } from "../compiled-daemon.ts";
import { descriptors, firstDifference, gantry, image, removeAll } from "./client.ts";
import { life } from "./life.ts";

export interface SoakReport {
  readonly runs: number;
  readonly concurrent: number;
  readonly kills: number;
  readonly minutes: number;
  /** Empty when all is well. */
  readonly faults: readonly string[];
}

/** Growth of the daemon over the sequential runs that is no leak: caches that fill once. */
const allowedGrowthMegabytes = 40;

/**
 * @param scale  1 for the full length
 * @param minutes  how long containers live with a daemon that is killed now and then
 */
export async function soak(scale: number, minutes: number, tell: (line: string) => void): Promise<SoakReport> {
  const counts = { runs: Math.ceil(1000 * scale), concurrent: Math.ceil(200 * scale), kills: Math.ceil(100 * scale), minutes };
  const faults: string[] = [];
  const daemon = await startCompiledDaemon();
  try {
    await sequential(daemon, counts.runs, faults, tell);
    await concurrent(daemon, counts.concurrent, faults, tell);
    await underKills(daemon, counts.kills, faults, tell);
    faults.push(...(await life(daemon, minutes, tell)));
    for (const difference of await auditInstance({ dataRoot: daemon.dataRoot, execRoot: daemon.execRoot }))
      faults.push(`audit: ${JSON.stringify(difference)}`);
  } finally {
    await removeAll(daemon);
    await daemon.stop();
  }
  return { ...counts, faults };
}

async function sequential(daemon: CompiledDaemon, runs: number, faults: string[], tell: (line: string) => void): Promise<void> {
  for (let warm = 0; warm < 5; warm++) await gantry(daemon, "run", "--rm", image, "true");
  await atRest();
  const before = { memory: daemon.residentMegabytes(), descriptors: descriptors(daemon) };
  const started = performance.now();
  for (let run = 0; run < runs; run++) {
    const wanted = run % 7;
    const { code, stdout } = await gantry(daemon, "run", "--rm", image, "sh", "-c", `echo ${run}; exit ${wanted}`);
    if (code !== wanted || stdout !== `${run}\n`)
      faults.push(`run ${run}: code ${code} instead of ${wanted}, output ${JSON.stringify(stdout)}`);
  }
  await atRest();
  const after = { memory: daemon.residentMegabytes(), descriptors: descriptors(daemon) };
  tell(
    `${runs} sequential runs: ${((performance.now() - started) / runs).toFixed(1)} ms each; memory ${before.memory} → ${after.memory} MB, descriptors ${before.descriptors} → ${after.descriptors}`,
  );
  if (after.descriptors > before.descriptors + 4) faults.push(`descriptors grew from ${before.descriptors} to ${after.descriptors}`);
  if (after.memory > before.memory + allowedGrowthMegabytes) faults.push(`memory grew from ${before.memory} to ${after.memory} MB`);
}

/** What was under way has ended, and the monitor for the next container is there: its descriptors count each time. */
function atRest(): Promise<void> {
  return Bun.sleep(1000);
}

async function concurrent(daemon: CompiledDaemon, count: number, faults: string[], tell: (line: string) => void): Promise<void> {
  const names = Array.from({ length: count }, (_, index) => `soak-${index}`);
  const started = performance.now();
  for (let batch = 0; batch < names.length; batch += 10) {
    await Promise.all(
      names.slice(batch, batch + 10).map(async (name) => {
        const { code, stderr } = await gantry(daemon, "run", "-d", "--name", name, image, "sleep", "100000");
        if (code !== 0) faults.push(`${name} did not start: ${stderr}`);
      }),
    );
  }
  const running = (await gantry(daemon, "ps", "-q")).stdout.split("\n").filter(Boolean).length;
  if (running !== count) faults.push(`${running} of ${count} containers run`);
  tell(
    `${count} containers at once: ${((performance.now() - started) / 1000).toFixed(1)} s to start; daemon ${daemon.residentMegabytes()} MB`,
  );
  await gantry(daemon, "rm", "-f", ...names);
}

/** Containers print numbered lines and end with codes of their own while the daemon is killed at random moments. */
async function underKills(daemon: CompiledDaemon, kills: number, faults: string[], tell: (line: string) => void): Promise<void> {
  const lines = Math.max(200, kills * 100);
  const printers = Array.from({ length: 4 }, (_, index) => ({ name: `printer-${index}`, code: 10 + index }));
  for (const { name, code } of printers) {
    const script = `i=0; while [ $i -lt ${lines} ]; do echo line $i; i=$((i+1)); usleep 8000; done; exit ${code}`;
    await gantry(daemon, "run", "-d", "--name", name, image, "sh", "-c", script);
  }
  let stopped = false;
  const churn = (async () => {
    for (let round = 0; !stopped; round++) await gantry(daemon, "run", "--rm", image, "true").catch(() => undefined); // the daemon may be away
  })();
  for (let kill = 0; kill < kills; kill++) {
    await Bun.sleep(100 + Math.random() * 500);
    await daemon.kill();
    await daemon.start();
  }
  stopped = true;
  await churn;
  for (const { name, code } of printers) {
    const waited = await gantry(daemon, "wait", name);
    if (waited.stdout.trim() !== String(code)) faults.push(`${name}: exit code ${waited.stdout.trim()} instead of ${code}`);
    const { stdout } = await gantry(daemon, "logs", name);
    const wanted = Array.from({ length: lines }, (_, index) => `line ${index}\n`).join("");
    if (stdout !== wanted) faults.push(`${name}: ${firstDifference(stdout, wanted)}`);
  }
  await removeAll(daemon);
  tell(`${kills} kills: exit codes and ${lines} lines of ${printers.length} logs compared`);
}
