import { EngineError } from "#lib/errors.ts";
import type { ProjectRange } from "#os/project-quota.ts";

/** Which projects of a range somebody has. What records say is told at the beginning; nothing else is kept. */
export class ProjectIds {
  readonly range: ProjectRange;
  readonly #used: Set<number>;
  #next = 0;

  constructor(range: ProjectRange, used: Iterable<number>) {
    this.range = range;
    this.#used = new Set(used);
  }

  /** For the daemon's own probes. */
  get probeId(): number {
    return this.range.first;
  }

  /** The next one that is free: one that was just given back is not taken again at once. @throws {EngineError} `unavailable` when none is */
  take(): number {
    const { first, count } = this.range;
    for (let tried = 1; tried < count; tried++) {
      const id = first + 1 + this.#next;
      this.#next = (this.#next + 1) % (count - 1);
      if (this.#used.has(id)) continue;
      this.#used.add(id);
      return id;
    }
    throw new EngineError("unavailable", `no project is free: ${count - 1} containers and volumes have a limit of their size`);
  }

  /** Success when nobody has it. */
  free(id: number): void {
    this.#used.delete(id);
  }
}
