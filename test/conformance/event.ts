/** What GET /events sends, as far as it is looked at. */
export interface EventMessage {
  readonly Type: string;
  readonly Action: string;
  readonly Actor: { readonly ID: string; readonly Attributes: Readonly<Record<string, string>> | null };
}

/** Docker sends the two in either order. */
export function dieBeforeStop(events: readonly EventMessage[]): EventMessage[] {
  const sorted = [...events];
  for (let index = 1; index < sorted.length; index++) {
    const [before, after] = [sorted[index - 1], sorted[index]];
    if (before?.Action === "stop" && after?.Action === "die") sorted.splice(index - 1, 2, after, before);
  }
  return sorted;
}

/** `type action key=value …` with sorted attributes. How long an exec took is no fact. */
export function eventLine({ Type, Action, Actor }: EventMessage): string {
  const attributes = Object.entries(Actor.Attributes ?? {}).map(([key, value]) => (key === "execDuration" ? key : `${key}=${value}`));
  return [Type, Action, ...attributes.sort()].join(" ");
}
