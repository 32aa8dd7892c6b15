import { expect, test } from "bun:test";
import { EventBus } from "#engine/event/bus.ts";
import { eventStream } from "./events.ts";

/** Of the store a stream without a past needs nothing. */
const nowhere = { appendEvents: () => Promise.resolve(), async *events() {} } as unknown as ConstructorParameters<typeof EventBus>[0];

function open(bus: EventBus): AsyncGenerator<string> {
  return eventStream(bus, { filters: new Map(), sinceNano: undefined, untilNano: undefined, signal: new AbortController().signal });
}

test("a client that does not read loses its stream, not the daemon its memory (E10)", async () => {
  const bus = new EventBus(nowhere);
  const stream = open(bus);
  const first = stream.next();
  bus.emit("container", "start", "first", {});
  expect((await first).value).toContain('"id":"first"');
  for (let index = 0; index < 15_000; index++) bus.emit("container", "start", `id-${index}`, {});
  expect(await stream.next()).toEqual({ done: true, value: undefined });
  expect(bus.listeners).toBe(0);
});

test("a client that reads gets every event in order", async () => {
  const bus = new EventBus(nowhere);
  const stream = open(bus);
  for (let index = 0; index < 100; index++) {
    const next = stream.next();
    bus.emit("container", "start", `id-${index}`, {});
    expect((await next).value).toContain(`"id":"id-${index}"`);
  }
  await stream.return(undefined);
  expect(bus.listeners).toBe(0);
});
