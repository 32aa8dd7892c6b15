import { readdirSync, readFileSync } from "node:fs";
import { image, invoke, type Subject } from "./subject.ts";

/** The daemon and every process whose name matches and whose command line has `part`. */
export function enginePids(daemon: number | undefined, names: string, part: string): number[] {
  const wanted = new RegExp(`^(${names})$`);
  const found = readdirSync("/proc").filter((entry) => {
    if (!/^\d+$/.test(entry)) return false;
    return wanted.test(read(`/proc/${entry}/comm`).trim()) && read(`/proc/${entry}/cmdline`).includes(part);
  });
  return [...(daemon === undefined ? [] : [daemon]), ...found.map(Number)];
}

/** Memory of processes, shared pages divided among those that share them. Source: proc(5), smaps_rollup, Pss. */
function proportionalMegabytes(pids: readonly number[]): number {
  const kilobytes = pids.map((pid) => Number(/^Pss:\s+(\d+)/m.exec(read(`/proc/${pid}/smaps_rollup`))?.[1] ?? 0));
  return kilobytes.reduce((sum, one) => sum + one, 0) / 1024;
}

function read(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return ""; // it has ended meanwhile
  }
}

/** Memory of the engine as it stands, and what each of `count` sleeping containers adds to it, the container's own process left out. */
export async function measureMemory(subject: Subject, count: number): Promise<{ engine: number; perContainer: number }> {
  const engine = subject.engine ?? (() => []);
  const before = proportionalMegabytes(engine());
  const names = Array.from({ length: count }, (_, index) => `bench-memory-NAME-${index}`);
  for (const name of names) await invoke(subject, ["run", "-d", "--name", name, image, "sleep", "100000"]);
  await Bun.sleep(1000); // what a start leaves to do afterwards
  const after = proportionalMegabytes(engine());
  await invoke(subject, ["rm", "-f", ...names]);
  return { engine: before, perContainer: (after - before) / count };
}
