import { expect, test } from "bun:test";
import { deferred } from "#lib/async.ts";
import { SharedWork } from "./shared-work.ts";

const never = new AbortController().signal;

test("work is done once for all who ask meanwhile, and all hear its news", async () => {
  const work = new SharedWork<string, number>();
  const gate = deferred<void>();
  let begun = 0;
  const begin = async (_signal: AbortSignal, tell: (news: number) => void): Promise<string> => {
    begun++;
    await gate.promise;
    tell(7);
    return "done";
  };
  const news: number[] = [];
  const both = [1, 2].map(() => work.join("a", begin, (one) => news.push(one), never));
  gate.resolve();
  expect(await Promise.all(both)).toEqual(["done", "done"]);
  expect(begun).toBe(1);
  expect(news).toEqual([7, 7]);
  await work.join("a", begin, () => {}, never);
  expect(begun).toBe(2);
});

test("one who leaves leaves the others alone; the last one ends the work and waits for its end", async () => {
  const work = new SharedWork<void>();
  const events: string[] = [];
  const begin = async (signal: AbortSignal): Promise<void> => {
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
    events.push("cleaned up");
    throw signal.reason;
  };
  const [first, second] = [new AbortController(), new AbortController()];
  const joins = [first, second].map(({ signal }) => work.join("a", begin, () => {}, signal));
  first.abort(new Error("first left"));
  await expect(joins[0]).rejects.toThrow("first left");
  expect(events).toEqual([]);
  second.abort(new Error("second left"));
  await expect(joins[1]).rejects.toThrow("second left");
  expect(events).toEqual(["cleaned up"]);
});

test("a failure is everybody's, and the next one begins anew", async () => {
  const work = new SharedWork<string>();
  const fail = () => Promise.reject(new Error("no"));
  await Promise.all([1, 2].map(() => expect(work.join("a", fail, () => {}, never)).rejects.toThrow("no")));
  expect(
    await work.join(
      "a",
      async () => "yes",
      () => {},
      never,
    ),
  ).toBe("yes");
});
