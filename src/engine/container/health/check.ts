import type { ContainerConfig } from "#types/engine-api/index.ts";

/** How the health of a container is checked, with every value decided. */
export interface HealthCheck {
  /** Empty when the configuration names no program: each run of it fails. */
  readonly command: readonly string[];
  readonly intervalMilliseconds: number;
  readonly timeoutMilliseconds: number;
  /** While the container is this young, failures do not count, unless it has been healthy already. */
  readonly startPeriodMilliseconds: number;
  /** Between two checks in the start period. */
  readonly startIntervalMilliseconds: number;
  readonly retries: number;
}

const defaults = { interval: 30_000, timeout: 30_000, startPeriod: 0, startInterval: 5000, retries: 3 };

/** A timer cannot be set to more. */
const longestMilliseconds = 2 ** 31 - 1;

/** Undefined when nothing is to be checked. Zero means Docker's default. Source: Engine API, HealthConfig. */
export function healthCheckOf(config: Pick<ContainerConfig, "Healthcheck" | "Shell">): HealthCheck | undefined {
  const check = config.Healthcheck;
  const [kind, ...words] = check?.Test ?? [];
  // A kind that nobody knows checks nothing, as in dockerd.
  if (!check || (kind !== "CMD" && kind !== "CMD-SHELL")) return undefined;
  const shell = config.Shell && config.Shell.length > 0 ? config.Shell : ["/bin/sh", "-c"];
  return {
    command: kind === "CMD" ? words : [...shell, ...words],
    intervalMilliseconds: milliseconds(check.Interval, defaults.interval),
    timeoutMilliseconds: milliseconds(check.Timeout, defaults.timeout),
    startPeriodMilliseconds: milliseconds(check.StartPeriod, defaults.startPeriod),
    startIntervalMilliseconds: milliseconds(check.StartInterval, defaults.startInterval),
    retries: check.Retries || defaults.retries,
  };
}

function milliseconds(nanoseconds: number | undefined, initial: number): number {
  return Math.min(nanoseconds ? nanoseconds / 1e6 : initial, longestMilliseconds);
}
