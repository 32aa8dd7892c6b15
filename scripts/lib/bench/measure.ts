import { invoke, type Subject } from "./subject.ts";

/** One command, measured in rounds. */
export interface Case {
  readonly name: string;
  readonly args: readonly string[];
  readonly rounds?: number;
  /** Once for all rounds. */
  readonly before?: readonly (readonly string[])[];
  readonly after?: readonly (readonly string[])[];
  /** Around each round, not measured. */
  readonly beforeEach?: readonly (readonly string[])[];
  readonly afterEach?: readonly (readonly string[])[];
}

/** Subject's name → milliseconds, or megabytes. */
export type Medians = ReadonlyMap<string, number>;

/** A pause in which an engine does what the round before has left to do. */
const pauseMilliseconds = 40;

/** Rounds of a short case that do not count: engines that have just begun compile and cache what they run often. */
const warmUpRounds = 5;

/** Interleaved: the order turns round each round, so that drift of the machine hits all alike. */
export async function measure(subjects: readonly Subject[], one: Case, rounds: number): Promise<Medians> {
  const times = new Map(subjects.map(({ name }) => [name, [] as number[]]));
  for (const subject of subjects) await all(subject, one.before);
  for (let round = one.rounds === undefined ? -warmUpRounds : 0; round < (one.rounds ?? rounds); round++) {
    for (const subject of round % 2 === 0 ? subjects : [...subjects].reverse()) {
      await all(subject, one.beforeEach);
      const started = performance.now();
      await invoke(subject, one.args);
      if (round >= 0) times.get(subject.name)?.push(performance.now() - started);
      await all(subject, one.afterEach);
      await Bun.sleep(pauseMilliseconds);
    }
  }
  for (const subject of subjects) await all(subject, one.after);
  return new Map([...times].map(([name, values]) => [name, median(values)]));
}

async function all(subject: Subject, commands: readonly (readonly string[])[] = []): Promise<void> {
  for (const args of commands) await invoke(subject, args);
}

export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}
