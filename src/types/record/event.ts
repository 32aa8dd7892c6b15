/** One event as `/events` tells it. Source: Engine API, EventMessage. */
export interface EventRecord {
  readonly type: string;
  readonly action: string;
  readonly actorId: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly scope: "local" | "swarm";
  /** Nanoseconds since 1970, as decimal digits. */
  readonly timeNano: string;
}
