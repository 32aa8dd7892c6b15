interface Ulimit {
  readonly Name?: string;
  readonly Soft?: number;
  readonly Hard?: number;
}

/** Limits for the runtime; those of the container go before the daemon's defaults. -1 means unlimited. Source: getrlimit(2). */
export function toRlimits(own: readonly Ulimit[], defaults: readonly Ulimit[]): { type: string; soft: number; hard: number }[] {
  const byName = new Map([...defaults, ...own].map((limit) => [limit.Name ?? "", limit]));
  return [...byName].map(([name, limit]) => ({
    type: `RLIMIT_${name.toUpperCase()}`,
    soft: toLimit(limit.Soft),
    hard: toLimit(limit.Hard),
  }));
}

/** RLIM_INFINITY as the largest number JSON carries exactly; the kernel treats both as no limit. */
function toLimit(value: number | undefined): number {
  return value === undefined || value < 0 ? Number.MAX_SAFE_INTEGER : value;
}
