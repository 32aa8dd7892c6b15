import type { ContainerHealth, HealthResult } from "#types/record/container.ts";
import type { HealthCheck } from "./check.ts";

const keptResults = 5;

/** Of a run that begins: what the checks of the run before have said stays readable. */
export function healthAtStart(before: ContainerHealth | undefined, restarts: number): ContainerHealth {
  return { status: "starting", failingStreak: 0, log: before?.log ?? [], restarts };
}

/**
 * What one more result makes of a container's health. Pure: no clock, no process.
 * @param ageMilliseconds  of the container when the check began
 */
export function applyResult(health: ContainerHealth, result: HealthResult, check: HealthCheck, ageMilliseconds: number): ContainerHealth {
  const log = [...health.log, result].slice(-keptResults);
  if (result.exitCode === 0) return { status: "healthy", failingStreak: 0, log, restarts: 0 };
  if (health.status === "starting" && ageMilliseconds < check.startPeriodMilliseconds) return { ...health, log };
  const failingStreak = health.failingStreak + 1;
  return { ...health, failingStreak, status: failingStreak >= check.retries ? "unhealthy" : health.status, log };
}

/** Of a container that is not checked any more: paused, or ended. Docker has always called that unhealthy, and tells it to nobody. */
export function healthUnchecked(health: ContainerHealth): ContainerHealth {
  return { ...health, status: "unhealthy" };
}

/** The check has failed for the last time that was allowed; a pause in between changes nothing. */
export function hasTurnedUnhealthy(before: ContainerHealth, after: ContainerHealth, check: HealthCheck): boolean {
  return before.failingStreak < check.retries && after.failingStreak >= check.retries;
}

/** From the end of a check, or the start of the container, to the next check. */
export function nextDelay(health: ContainerHealth, check: HealthCheck, ageMilliseconds: number): number {
  const isEarly = health.status === "starting" && ageMilliseconds < check.startPeriodMilliseconds;
  return isEarly ? check.startIntervalMilliseconds : check.intervalMilliseconds;
}
