import { deferred } from "#lib/async.ts";
import { isKind, messageOf } from "#lib/errors.ts";
import type { Logger } from "#lib/log.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { EventBus } from "../../event/bus.ts";
import type { HealthMonitor } from "../health/monitor.ts";
import type { Lifecycle } from "../lifecycle.ts";
import type { ContainerRegistry } from "../registry.ts";
import { isRunning } from "../state.ts";
import { dependencyGraph, type Dependency } from "./dependencies.ts";

export interface BootServices {
  readonly deps: {
    readonly containers: Pick<ContainerRegistry, "all" | "peek">;
    readonly events: Pick<EventBus, "listen">;
    readonly log: Pick<Logger, "warn">;
  };
  readonly lifecycle: Pick<Lifecycle, "start" | "isClosing">;
  readonly health: Pick<HealthMonitor, "of">;
}

/** What has not happened by then is not waited for any longer: late is better than never. */
const waitLimitMilliseconds = 5 * 60_000;

/**
 * Starts containers, each when those it depends on are as far as it wants them to be; others side by side. A dependency that cannot get there
 * is told in the log, and not waited for. Resolves when the last start was tried.
 */
export async function startInOrder(
  services: BootServices,
  wanted: readonly ContainerRecord[],
  limit = waitLimitMilliseconds,
): Promise<void> {
  const graph = dependencyGraph([...services.deps.containers.all()]);
  const byId = new Map(wanted.map((record) => [record.id, record]));
  const tried = new Map<string, Promise<void>>();
  const tryOnce = (record: ContainerRecord): Promise<void> => {
    const before = tried.get(record.id);
    if (before) return before;
    const dependencies = graph.get(record.id) ?? [];
    const ready = dependencies.map(async (dependency) => {
      const own = byId.get(dependency.id);
      if (own) await tryOnce(own); // the graph has no cycles
      await reached(services, record, dependency, limit);
    });
    const start = Promise.all(ready).then(() => startOne(services, record));
    tried.set(record.id, start);
    return start;
  };
  await Promise.all(wanted.map(tryOnce));
}

async function startOne({ deps, lifecycle }: BootServices, { id }: ContainerRecord): Promise<void> {
  if (lifecycle.isClosing) return;
  try {
    await lifecycle.start(id);
  } catch (error) {
    if (isKind(error, "not_modified", "not_found")) return; // somebody else was faster
    deps.log.warn("container could not be started", { container: id, error: messageOf(error) });
  }
}

type Progress = "reached" | "under way" | "not to be reached";

/** Waits until a dependency is as far as it is wanted, or cannot get there. */
async function reached(services: BootServices, record: ContainerRecord, dependency: Dependency, limit: number): Promise<void> {
  const { deps } = services;
  const done = deferred<Progress>();
  const look = (): void => {
    const progress = progressOf(services, dependency);
    if (progress !== "under way") done.resolve(progress);
  };
  const stop = deps.events.listen(({ actorId }) => {
    if (actorId === dependency.id) look();
  });
  const timer = setTimeout(() => done.resolve("under way"), limit);
  look();
  const progress = await done.promise;
  clearTimeout(timer);
  stop();
  if (progress === "reached") return;
  const { id, condition } = dependency;
  deps.log.warn("container is started before what it depends on", { container: record.id, dependency: id, condition, progress });
}

function progressOf({ deps, health }: BootServices, { id, condition }: Dependency): Progress {
  const record = deps.containers.peek(id);
  if (!record) return "not to be reached";
  const { state } = record;
  const mayRun = isRunning(state) || state.status === "starting" || state.status === "restarting";
  if (condition === "completed") {
    if (mayRun) return "under way";
    return state.status === "exited" && state.exitCode === 0 ? "reached" : "not to be reached";
  }
  if (!mayRun) return "not to be reached";
  if (condition === "started") return isRunning(state) ? "reached" : "under way";
  const status = health.of(record)?.status;
  if (status === "starting") return "under way";
  return status === "healthy" ? "reached" : "not to be reached";
}
