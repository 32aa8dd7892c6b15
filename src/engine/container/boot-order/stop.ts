import type { ContainerRecord } from "#types/record/container.ts";
import { dependencyGraph, dependentsOf } from "./dependencies.ts";

/**
 * Stops containers, each after those that depend on it, others side by side. A stop that fails holds nobody back. Resolves when all are done.
 * @param all  also those that do not run: an order may lead through them
 */
export async function stopInOrder(
  running: readonly ContainerRecord[],
  all: readonly ContainerRecord[],
  stop: (record: ContainerRecord) => Promise<void>,
): Promise<void> {
  const dependents = dependentsOf(dependencyGraph(all));
  const toStop = new Map(running.map((record) => [record.id, record]));
  const begun = new Map<string, Promise<void>>();
  const end = (id: string): Promise<void> => {
    const before = begun.get(id);
    if (before) return before;
    const record = toStop.get(id);
    const ended = Promise.all((dependents.get(id) ?? []).map(end))
      .then(() => record && stop(record))
      .catch(() => undefined); // told where it was logged, or found by the next daemon
    begun.set(id, ended);
    return ended;
  };
  await Promise.all(running.map(({ id }) => end(id)));
}
