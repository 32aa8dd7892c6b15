import { expect, test } from "bun:test";
import { layerProgress, progressBar, throttled, type ImageProgress } from "./progress.ts";

test.each([
  [65536, 6002144, "[>                                                  ]  65.54kB/6.002MB"],
  [98, 98, "[==================================================>]      98B/98B"],
  [1000, 1000, "[==================================================>]      1kB/1kB"],
  [3_000_000_000, 6_000_000_000, "[=========================>                         ]      3GB/6GB"],
  [500, 0, "    500B"],
])("%p of %p is drawn as Docker draws it", (current, total, bar) => {
  expect(progressBar(current, total)).toBe(bar);
});

test("a message names its layer by twelve digits", () => {
  expect(layerProgress("Downloading", `sha256:${"0123456789abcdef".repeat(4)}`, 1, 2).id).toBe("0123456789ab");
});

test("a step tells its first and its last count, and few between", () => {
  const told: ImageProgress[] = [];
  const report = throttled((message) => told.push(message), "Downloading", "sha256:00", 1000);
  for (let current = 1; current <= 1000; current++) report(current);
  expect(told[0]?.progressDetail).toEqual({ current: 1, total: 1000 });
  expect(told.at(-1)?.progressDetail).toEqual({ current: 1000, total: 1000 });
  expect(told.length).toBeLessThan(10);
});
