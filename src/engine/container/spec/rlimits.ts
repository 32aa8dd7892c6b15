import { exactKey } from "#lib/exact-integers.ts";

interface Ulimit {
  readonly Name?: string;
  readonly Soft?: number;
  readonly Hard?: number;
}

interface Rlimit {
  readonly type: string;
  readonly soft: number;
  readonly hard: number;
}

/** Limits for the runtime; those of the container go before the daemon's defaults. -1 means unlimited. Source: getrlimit(2). */
export function toRlimits(own: readonly Ulimit[], defaults: readonly Ulimit[]): Rlimit[] {
  const byName = new Map([...defaults, ...own].map((limit) => [limit.Name ?? "", limit]));
  return [...byName].map(([name, { Soft, Hard }]) => {
    const limits = { soft: toLimit(Soft), hard: toLimit(Hard) };
    const unlimited = Object.entries(limits).filter(([, limit]) => limit === Number(infinity));
    return {
      type: `RLIMIT_${name.toUpperCase()}`,
      ...limits,
      ...(unlimited.length > 0 && { [exactKey]: Object.fromEntries(unlimited.map(([field]) => [field, infinity])) }),
    };
  });
}

/** RLIM_INFINITY: all bits set. Every other number is a limit, and shown as one. */
const infinity = "18446744073709551615";

function toLimit(value: number | undefined): number {
  return value === undefined || value < 0 ? Number(infinity) : value;
}
