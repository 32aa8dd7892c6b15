import { EngineError } from "#lib/errors.ts";

export interface RestartPolicy {
  readonly Name?: string;
  readonly MaximumRetryCount?: number;
}

/** The policies of Docker, and our own: `on-unhealthy` starts a container again whose health check has turned unhealthy. */
const policies = ["", "no", "always", "unless-stopped", "on-failure", "on-unhealthy"];
const policiesWithLimit = ["on-failure", "on-unhealthy"];

/** @throws {EngineError} `invalid` with Docker's texts */
export function validateRestartPolicy(policy: RestartPolicy | undefined | null): void {
  const name = policy?.Name ?? "";
  const retries = policy?.MaximumRetryCount ?? 0;
  if (!policies.includes(name)) {
    throw new EngineError(
      "invalid",
      `invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  }
  if (!policiesWithLimit.includes(name) && retries !== 0) {
    const also = retries < 0 ? " and cannot be negative" : "";
    throw new EngineError("invalid", `invalid restart policy: maximum retry count can only be used with 'on-failure'${also}`);
  }
  if (retries < 0) throw new EngineError("invalid", "invalid restart policy: maximum retry count cannot be negative");
}

export interface RestartDecision {
  readonly restart: boolean;
  readonly delayMilliseconds: number;
}

const firstDelay = 100;
const longestDelay = 60_000;
/** A run this long puts the delay back to its beginning. */
const stableRunMilliseconds = 10_000;

/**
 * Whether and when a container that has ended is started again. The delay doubles from 100 ms to a minute while runs are short.
 * @param exit.previousDelay  0 for the first
 */
export function decideRestart(
  policy: RestartPolicy | undefined | null,
  exit: {
    readonly exitCode: number;
    readonly stoppedByUser: boolean;
    /** It was ended because its health check had turned unhealthy. */
    readonly endedUnhealthy: boolean;
    readonly restartCount: number;
    readonly ranMilliseconds: number;
    readonly previousDelay: number;
  },
): RestartDecision {
  const delayMilliseconds =
    exit.previousDelay === 0 || exit.ranMilliseconds >= stableRunMilliseconds ? firstDelay : Math.min(exit.previousDelay * 2, longestDelay);
  return { restart: !exit.stoppedByUser && wants(policy, exit), delayMilliseconds };
}

function wants(
  policy: RestartPolicy | undefined | null,
  exit: { readonly exitCode: number; readonly restartCount: number; readonly endedUnhealthy: boolean },
): boolean {
  switch (policy?.Name) {
    case "always":
    case "unless-stopped":
      return true;
    case "on-failure": {
      const limit = policy.MaximumRetryCount ?? 0;
      return exit.exitCode !== 0 && (limit === 0 || exit.restartCount < limit);
    }
    case "on-unhealthy":
      return exit.endedUnhealthy;
    default:
      return false;
  }
}

/**
 * Whether a container that has turned unhealthy is ended, to be started again.
 * @param restarts  for this reason, without having been healthy in between
 */
export function restartsWhenUnhealthy(policy: RestartPolicy | undefined | null, restarts: number): boolean {
  const limit = policy?.MaximumRetryCount ?? 0;
  return policy?.Name === "on-unhealthy" && (limit === 0 || restarts < limit);
}

/** Whether a container that does not run is started when the daemon starts. */
export function startsWithDaemon(
  policy: RestartPolicy | undefined | null,
  ended: { readonly stoppedByUser: boolean; readonly interrupted: boolean; readonly exitCode: number },
): boolean {
  switch (policy?.Name) {
    case "always":
      return true;
    case "unless-stopped":
      return !ended.stoppedByUser;
    case "on-failure":
      return !ended.stoppedByUser && ended.exitCode !== 0;
    case "on-unhealthy":
      return !ended.stoppedByUser && ended.interrupted;
    default:
      return false;
  }
}
