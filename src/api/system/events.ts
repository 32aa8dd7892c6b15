import type { EventBus } from "#engine/event/bus.ts";
import { deferred, sleep } from "#lib/async.ts";
import { systemClock } from "#lib/clock.ts";
import type { EventRecord } from "#types/record/event.ts";
import { matchesLabels, valuesOf } from "../filters.ts";
import { type Filters } from "../decode/filters.ts";

/** Events a slow client may lag behind before its stream is ended: memory has a bound. */
const maximumLag = 10_000;

export interface EventStreamOptions {
  readonly filters: Filters;
  readonly sinceNano: bigint | undefined;
  readonly untilNano: bigint | undefined;
  readonly signal: AbortSignal;
}

/** Events as JSON lines: the past from `since` on, then what comes until `until` or the client leaves. Source: Engine API, SystemEvents. */
export async function* eventStream(bus: EventBus, options: EventStreamOptions): AsyncGenerator<string> {
  const { filters, sinceNano, untilNano, signal } = options;
  const queue: EventRecord[] = [];
  let wake = deferred<void>();
  let over = signal.aborted;
  // Listened to before the past is read: nothing that happens in between is missed.
  const stop = bus.listen((event) => {
    if (over) return;
    if (queue.length >= maximumLag) {
      // The client does not read: its stream ends where it stands, and nothing is kept for it.
      over = true;
      queue.length = 0;
    } else queue.push(event);
    wake.resolve();
  });
  const untilMilliseconds = untilNano === undefined ? undefined : Number((untilNano - systemClock.nowNano()) / 1_000_000n);
  const ended =
    untilMilliseconds === undefined ? new Promise<void>(() => {}) : sleep(Math.max(0, Math.min(untilMilliseconds, 2 ** 31 - 1)), signal);
  const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
  void Promise.race([ended, aborted]).then(() => {
    over = true;
    wake.resolve();
  });
  let last = -1n;
  const line = (event: EventRecord): string | undefined => {
    const time = BigInt(event.timeNano);
    if (time <= last || (untilNano !== undefined && time > untilNano) || !matchesEvent(event, filters)) return undefined;
    last = time;
    return eventLine(event);
  };
  try {
    if (sinceNano !== undefined || untilNano !== undefined) {
      for await (const event of bus.past(sinceNano ?? 0n)) {
        const text = line(event);
        if (text !== undefined) yield text;
      }
    }
    for (;;) {
      for (let event = queue.shift(); event; event = queue.shift()) {
        const text = line(event);
        if (text !== undefined) yield text;
      }
      if (over) return;
      wake = deferred<void>();
      if (queue.length === 0 && !over) await wake.promise;
    }
  } finally {
    stop();
  }
}

/** Source: Engine API, EventMessage; the fields before 1.22 are still read by old clients. */
function eventLine(event: EventRecord): string {
  const legacy = event.type === "container" || event.type === "image";
  const message = {
    ...(legacy && { status: event.action, id: event.actorId }),
    ...(event.type === "container" && { from: event.attributes["image"] ?? "" }),
    Type: event.type,
    Action: event.action,
    Actor: { ID: event.actorId, Attributes: event.attributes },
    scope: event.scope,
    time: Number(BigInt(event.timeNano) / 1_000_000_000n),
  };
  // Above 2^53, a number would lose digits that clients compare by.
  return `${JSON.stringify(message).slice(0, -1)},"timeNano":${event.timeNano}}\n`;
}

/** Values of one filter are alternatives, filters are all needed; one that nobody knows asks for nothing. */
export function matchesEvent(event: EventRecord, filters: Filters): boolean {
  const any = (name: string, test: (value: string) => boolean): boolean => !filters.has(name) || valuesOf(filters, name).some(test);
  const actor = (type: string) => (value: string) =>
    event.type === type && (event.actorId.startsWith(value) || (event.attributes["name"] ?? "").startsWith(value));
  return (
    any("type", (value) => event.type === value) &&
    // `exec_create: ls` is found by its first word.
    any("event", (value) => event.action === value || event.action.startsWith(`${value}:`)) &&
    any("container", actor("container")) &&
    any("image", (value) => matchesImage(event, value)) &&
    any("volume", actor("volume")) &&
    any("network", actor("network")) &&
    any("daemon", actor("daemon")) &&
    any("scope", (value) => event.scope === value) &&
    (!filters.has("label") || matchesLabels(event.attributes, valuesOf(filters, "label"))) &&
    !["config", "node", "plugin", "secret", "service"].some((name) => filters.has(name))
  );
}

/** With or without its tag; for containers the image they were made from. */
function matchesImage(event: EventRecord, value: string): boolean {
  const withoutTag = (name: string): string =>
    name.lastIndexOf(":") > name.lastIndexOf("/") ? name.slice(0, name.lastIndexOf(":")) : name;
  const names =
    event.type === "image"
      ? [event.actorId, event.attributes["name"] ?? ""]
      : event.type === "container"
        ? [event.attributes["image"] ?? ""]
        : [];
  return names.some((name) => name !== "" && (name === value || withoutTag(name) === value));
}
