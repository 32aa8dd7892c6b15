import { parseDuration } from "#lib/duration.ts";
import { EngineError } from "#lib/errors.ts";

/** Which images may go by themselves, and when. */
export interface HousekeepingPolicy {
  readonly isEnabled: boolean;
  /** Share of the data root's file system in use, 0 to 1, from which images are removed, and down to which. */
  readonly highMark: number;
  readonly lowMark: number;
  /** An image used within this time stays. */
  readonly unusedForMilliseconds: number;
  /** So many tags of each repository stay, the last ones put. */
  readonly keptTags: number;
  /** Also images that no registry is known to have. */
  readonly takesLocal: boolean;
}

export const defaultPolicy: HousekeepingPolicy = {
  isEnabled: true,
  highMark: 0.85,
  lowMark: 0.75,
  unusedForMilliseconds: 7 * 24 * 3_600_000,
  keptTags: 3,
  takesLocal: false,
};

/**
 * The setting `image-gc`: `enabled`, `high-mark` and `low-mark` (percent), `unused-for` (a duration as Go writes it), `keep-tags`, `local`.
 * @throws {EngineError} `invalid` naming the option
 */
export function parsePolicy(options: Readonly<Record<string, string>>): HousekeepingPolicy {
  let policy = defaultPolicy;
  for (const [name, value] of Object.entries(options)) policy = { ...policy, ...parseOption(name, value) };
  if (policy.lowMark > policy.highMark) throw new EngineError("invalid", "image-gc: low-mark must not be above high-mark");
  return policy;
}

function parseOption(name: string, value: string): Partial<HousekeepingPolicy> {
  switch (name) {
    case "enabled":
      return { isEnabled: parseFlag(name, value) };
    case "local":
      return { takesLocal: parseFlag(name, value) };
    case "high-mark":
      return { highMark: parsePercent(name, value) };
    case "low-mark":
      return { lowMark: parsePercent(name, value) };
    case "keep-tags":
      return { keptTags: parseCount(name, value) };
    case "unused-for":
      return { unusedForMilliseconds: parseTime(name, value) };
    default:
      throw new EngineError(
        "invalid",
        `image-gc: unknown option ${JSON.stringify(name)}; there are enabled, high-mark, low-mark, unused-for, keep-tags and local`,
      );
  }
}

function parseFlag(name: string, value: string): boolean {
  if (value === "true" || value === "false") return value === "true";
  throw bad(name, value, "true or false");
}

function parsePercent(name: string, value: string): number {
  const percent = Number(/^(\d{1,3})%?$/.exec(value)?.[1] ?? Number.NaN);
  if (!(percent >= 1 && percent <= 100)) throw bad(name, value, "a percentage from 1 to 100");
  return percent / 100;
}

function parseCount(name: string, value: string): number {
  if (/^\d{1,9}$/.test(value)) return Number(value);
  throw bad(name, value, "a number");
}

function parseTime(name: string, value: string): number {
  const nanoseconds = value === "0" ? 0n : parseDuration(value);
  if (nanoseconds === undefined || nanoseconds < 0n) throw bad(name, value, "a duration such as 168h");
  return Number(nanoseconds / 1_000_000n);
}

const bad = (name: string, value: string, wanted: string): EngineError =>
  new EngineError("invalid", `image-gc: ${name} must be ${wanted}, not ${JSON.stringify(value)}`);
