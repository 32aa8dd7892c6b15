import { describe, expect, test } from "bun:test";
import { decide, type ImageFacts } from "./decide.ts";
import { defaultPolicy, parsePolicy } from "./policy.ts";

const hour = 3_600_000;
const now = 1_000_000 * hour;
const policy = { ...defaultPolicy, keptTags: 1 };
const full = { totalBytes: 1000, usedBytes: 900 };
const roomy = { totalBytes: 1000, usedBytes: 500 };

function image(id: string, facts: Partial<ImageFacts> = {}): ImageFacts {
  const parts = facts.parts ?? new Map([[`layer of ${id}`, 100]]);
  return { id, tags: [], isInRegistry: true, lastUsedAt: 0, taggedAt: 0, users: [], ...facts, parts };
}

const summary = (images: readonly ImageFacts[], disk = full, rule = policy, isForced = false): string[] =>
  decide(images, disk, rule, { now, isForced }).map(({ image: { id }, decision, reason }) => `${id}: ${decision}, ${reason}`);

describe("decide()", () => {
  test("the longest unused go first, and only down to the low mark", () => {
    const images = [image("a", { lastUsedAt: 3 }), image("b", { lastUsedAt: 1 }), image("c", { lastUsedAt: 2 })];
    expect(summary(images)).toEqual(["b: remove, nothing needs it", "c: remove, nothing needs it", "a: may, nothing needs it"]);
  });

  test("below the high mark nothing goes, unless it is forced", () => {
    expect(summary([image("a")], roomy)).toEqual(["a: may, nothing needs it"]);
    expect(summary([image("a")], roomy, policy, true)).toEqual(["a: remove, nothing needs it"]);
  });

  test("what a container needs, what was used lately, and what no registry has stays, also when forced", () => {
    const images = [
      image("used", { users: ["web", "db"] }),
      image("recent", { lastUsedAt: now - 3 * 24 * hour }),
      image("local", { tags: ["mine:1"], isInRegistry: false }),
    ];
    expect(summary(images, full, policy, true)).toEqual([
      "used: keep, container web needs it",
      "recent: keep, used 3 days ago, less than 7 days",
      "local: keep, no registry is known to have it",
    ]);
    expect(summary([images[2] ?? image("")], full, { ...policy, takesLocal: true, keptTags: 0 })).toEqual([
      "local: remove, nothing needs it",
    ]);
  });

  test("an image without a name goes though no registry has it", () => {
    expect(summary([image("dangling", { isInRegistry: false })])).toEqual(["dangling: remove, nothing needs it"]);
  });

  test("the last tags of each repository stay, an image with several of them by its newest", () => {
    const images = [
      image("old", { tags: ["app:1"], taggedAt: 1 }),
      image("new", { tags: ["app:2", "other:1"], taggedAt: 2 }),
      image("port", { tags: ["registry:5000/app:1"], taggedAt: 1 }),
    ];
    expect(summary(images)).toEqual([
      "old: remove, nothing needs it",
      "new: keep, one of the newest 1 of app",
      "port: keep, one of the newest 1 of registry:5000/app",
    ]);
  });

  test("a shared layer is given back by the last image that has it", () => {
    const shared = (own: string): Map<string, number> =>
      new Map([
        ["base", 500],
        [own, 10],
      ]);
    const images = [image("a", { lastUsedAt: 1, parts: shared("x") }), image("b", { lastUsedAt: 2, parts: shared("y") })];
    const freed = decide(images, { totalBytes: 1000, usedBytes: 999 }, policy, { now }).map(({ freedBytes }) => freedBytes);
    expect(freed).toEqual([10, 510]);
    expect(decide([...images, image("c", { users: ["web"], parts: shared("z") })], full, policy, { now })[1]?.freedBytes).toBe(10);
  });
});

describe("parsePolicy()", () => {
  test("reads every option", () => {
    const options = { enabled: "false", "high-mark": "90%", "low-mark": "50", "unused-for": "36h", "keep-tags": "0", local: "true" };
    expect(parsePolicy(options)).toEqual({
      ...{ isEnabled: false, highMark: 0.9, lowMark: 0.5, unusedForMilliseconds: 36 * hour, keptTags: 0, takesLocal: true },
    });
    expect(parsePolicy({})).toEqual(defaultPolicy);
  });

  test.each([
    [{ "high-mark": "0" }, "image-gc: high-mark must be a percentage from 1 to 100"],
    [{ "high-mark": "70" }, "image-gc: low-mark must not be above high-mark"],
    [{ "keep-tags": "-1" }, "image-gc: keep-tags must be a number"],
    [{ "unused-for": "a week" }, "image-gc: unused-for must be a duration such as 168h"],
    [{ enabled: "yes" }, "image-gc: enabled must be true or false"],
    [{ mark: "1" }, 'image-gc: unknown option "mark"'],
  ])("refuses %j", (options, message) => {
    expect(() => parsePolicy(options)).toThrow(message);
  });
});
