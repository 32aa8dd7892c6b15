import { expect, test } from "bun:test";
import { soak } from "../../scripts/lib/soak.ts";

test("a twentieth of the soak leaves no fault: no leak, no hole in a log, every exit code known", async () => {
  const { faults } = await soak(0.05, (line) => console.log(line));
  expect(faults).toEqual([]);
}, 300_000);
