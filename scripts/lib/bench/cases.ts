import type { Case } from "./measure.ts";
import { image } from "./subject.ts";

const lines = 1_000_000;

/** Every command whose time a user notices. */
export const cases: readonly Case[] = [
  { name: "`--version`", args: ["--version"] },
  { name: "`version`", args: ["version"] },
  { name: "`run --rm`, bridge", args: ["run", "--rm", image, "true"] },
  { name: "`run --rm`, network none", args: ["run", "--rm", "--network", "none", image, "true"] },
  { name: "`run --rm`, network host", args: ["run", "--rm", "--network", "host", image, "true"] },
  {
    name: "`run -d`",
    args: ["run", "-d", "--name", "bench-NAME", image, "sleep", "100000"],
    afterEach: [["rm", "-f", "bench-NAME"]],
  },
  {
    name: "`exec`",
    args: ["exec", "bench-NAME", "true"],
    before: [["run", "-d", "--name", "bench-NAME", image, "sleep", "100000"]],
    after: [["rm", "-f", "bench-NAME"]],
  },
  { name: "`create`", args: ["create", "--name", "bench-NAME", image, "true"], afterEach: [["rm", "bench-NAME"]] },
  {
    name: "`start`",
    args: ["start", "bench-NAME"],
    beforeEach: [["create", "--name", "bench-NAME", image, "sleep", "100000"]],
    afterEach: [["rm", "-f", "bench-NAME"]],
  },
  {
    name: "`stop`",
    // A process that ends at once: the engine is measured, not the grace period.
    args: ["stop", "bench-NAME"],
    beforeEach: [["run", "-d", "--name", "bench-NAME", "--stop-signal", "KILL", image, "sleep", "100000"]],
    afterEach: [["rm", "bench-NAME"]],
  },
  {
    name: "`rm -f` of a running one",
    args: ["rm", "-f", "bench-NAME"],
    beforeEach: [["run", "-d", "--name", "bench-NAME", image, "sleep", "100000"]],
  },
  { name: "`run --rm`, 1 M lines attached", args: ["run", "--rm", image, "seq", String(lines)], rounds: 3 },
  {
    name: "`run -d` and `wait`, 1 M lines logged",
    args: ["wait", "bench-NAME"],
    beforeEach: [["run", "-d", "--name", "bench-NAME", image, "seq", String(lines)]],
    afterEach: [["rm", "bench-NAME"]],
    rounds: 3,
  },
  {
    name: "`logs`, 1 M lines",
    args: ["logs", "bench-NAME"],
    before: [["run", "--name", "bench-NAME", "--log-opt", "max-size=1g", image, "seq", String(lines)]],
    after: [["rm", "bench-NAME"]],
    rounds: 3,
  },
  {
    name: "`logs --tail 10` of them",
    args: ["logs", "--tail", "10", "bench-NAME"],
    before: [["run", "--name", "bench-NAME", "--log-opt", "max-size=1g", image, "seq", String(lines)]],
    after: [["rm", "bench-NAME"]],
    rounds: 7,
  },
];
