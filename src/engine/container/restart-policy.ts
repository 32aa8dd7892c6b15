import { EngineError } from "#lib/errors.ts";

export interface RestartPolicy {
  readonly Name?: string;
  readonly MaximumRetryCount?: number;
}

/** @throws {EngineError} `invalid` with Docker's texts */
export function validateRestartPolicy(policy: RestartPolicy | undefined | null): void {
  const name = policy?.Name ?? "";
  const retries = policy?.MaximumRetryCount ?? 0;
  if (!["", "no", "always", "unless-stopped", "on-failure"].includes(name)) {
    throw new EngineError(
      "invalid",
      `invalid restart policy: unknown policy '${name}'; use one of 'no', 'always', 'on-failure', or 'unless-stopped'`,
    );
  }
  if (name !== "on-failure" && retries !== 0) {
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
    readonly restartCount: number;
    readonly ranMilliseconds: number;
    readonly previousDelay: number;
  },
): RestartDecision {
  const delayMilliseconds =
    exit.previousDelay === 0 || exit.ranMilliseconds >= stableRunMilliseconds ? firstDelay : Math.min(exit.previousDelay * 2, longestDelay);
  return { restart: !exit.stoppedByUser && wants(policy, exit), delayMilliseconds };
}

function wants(policy: RestartPolicy | undefined | null, exit: { readonly exitCode: number; readonly restartCount: number }): boolean {
  switch (policy?.Name) {
    case "always":
    case "unless-stopped":
      return true;
    case "on-failure": {
      const limit = policy.MaximumRetryCount ?? 0;
      return exit.exitCode !== 0 && (limit === 0 || exit.restartCount < limit);
    }
    default:
      return false;
  }
}

/** Whether a container that does not run is started when the daemon starts. */
export function startsWithDaemon(policy: RestartPolicy | undefined | null, stoppedByUser: boolean, exitCode: number): boolean {
  switch (policy?.Name) {
    case "always":
      return true;
    case "unless-stopped":
      return !stoppedByUser;
    case "on-failure":
      return !stoppedByUser && exitCode !== 0;
    default:
      return false;
  }
}
