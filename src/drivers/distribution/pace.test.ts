import { expect, test } from "bun:test";
import { Pace, type PaceDecision } from "./pace.ts";

const mega = 1e6;

/** Asks four times a second, as long as a rate per number of connections says. */
function play(rateOf: (connections: number) => number, seconds: number, most = 3): { connections: number; decisions: PaceDecision[] } {
  const pace = new Pace();
  const decisions: PaceDecision[] = [];
  let connections = 1;
  let receivedBytes = 0;
  for (let milliseconds = 250; milliseconds <= seconds * 1000; milliseconds += 250) {
    receivedBytes += rateOf(connections) / 4;
    const sample = { milliseconds, receivedBytes };
    const decision = pace.decide(sample, connections);
    decisions.push(decision);
    if (decision === "one") connections = 1;
    if (decision !== "more" || connections === most) continue;
    connections++;
    pace.changed(sample);
  }
  return { connections, decisions };
}

test("a registry that limits each connection gets as many as there may be", () => {
  expect(play((connections) => connections * 20 * mega, 10).connections).toBe(3);
});

test("a connection that is fast stays alone", () => {
  expect(play(() => 400 * mega, 10).connections).toBe(1);
});

test("a line that is full is no reason to go back", () => {
  expect(play(() => 40 * mega, 30).decisions).not.toContain("one");
});

test("where several connections are slower than one, one goes on, for good", () => {
  const { connections, decisions } = play((count) => (count === 1 ? 40 * mega : 10 * mega), 30);
  expect(connections).toBe(1);
  expect(decisions.filter((decision) => decision === "one")).toHaveLength(1);
});

test("nothing is decided before the first byte", () => {
  expect(play(() => 0, 5).decisions).not.toContain("more");
});
