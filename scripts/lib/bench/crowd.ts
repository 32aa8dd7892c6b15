import { measureListRate } from "./api.ts";
import { median, type Medians } from "./measure.ts";
import { image, invoke, type Subject } from "./subject.ts";

const runs = 50;
const together = 10;
const listed = 200;

/** All runs of one engine, some at a time. */
export async function measureParallel(subjects: readonly Subject[]): Promise<Medians> {
  const medians = new Map<string, number>();
  for (const subject of subjects) {
    const started = performance.now();
    await inBatches(runs, together, () => invoke(subject, ["run", "--rm", image, "true"]));
    medians.set(subject.name, performance.now() - started);
  }
  return medians;
}

/** `ps -a` by each client, and the same list by the API where a subject has a socket. */
export async function measureList(subjects: readonly Subject[], rounds: number): Promise<{ command: Medians; api: Medians }> {
  const medians = new Map<string, number>();
  const api = new Map<string, number>();
  for (const subject of subjects) {
    const name = (index: number): string => `bench-NAME-${index}`;
    await inBatches(listed, together, (index) => invoke(subject, ["create", "--name", name(index), image, "true"]));
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const started = performance.now();
      await invoke(subject, ["ps", "-a"]);
      times.push(performance.now() - started);
    }
    medians.set(subject.name, median(times));
    if (subject.socket !== undefined) api.set(subject.name, await measureListRate(subject.socket));
    await invoke(subject, ["rm", ...Array.from({ length: listed }, (_, index) => name(index))]);
  }
  return { command: medians, api };
}

async function inBatches(count: number, size: number, act: (index: number) => Promise<void>): Promise<void> {
  for (let first = 0; first < count; first += size)
    await Promise.all(Array.from({ length: Math.min(size, count - first) }, (_, index) => act(first + index)));
}
