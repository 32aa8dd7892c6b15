import { expect, test } from "bun:test";
import { soak } from "../../scripts/lib/soak/soak.ts";

test("a twentieth of the soak, and a minute of its hour, leave no fault: no leak, no hole in a log, every exit code known", async () => {
  const { faults } = await soak(0.05, 1, (line) => console.log(line));
  expect(faults).toEqual([]);
}, 300_000);
