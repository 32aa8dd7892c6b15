// Plays everything against a daemon of our own and compares with what Docker answered (recorded/*.json, made by `npm run record`).
import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import { expectClean } from "../support/audit.ts";
import { startDaemon, type TestDaemon } from "../support/daemon.ts";
import { loadBusybox } from "../support/images.ts";
import { comparePlay, describeDifference, type Difference } from "./compare.ts";
import { perform, type Facts } from "./perform.ts";
import { books } from "./plays/index.ts";
import { readRecord } from "./records.ts";
import { covers, isWanted, wantedDifferences } from "./wanted-differences.ts";

let daemon: TestDaemon;
const seen = new Map<string, Facts>();
const recorded = new Map<string, Facts>();
const differences: Difference[] = [];

beforeAll(async () => {
  daemon = await startDaemon();
  await loadBusybox(daemon);
  for (const book of books) {
    recorded.set(book.noun, await readRecord(book));
    seen.set(book.noun, await perform(book, daemon.socket));
  }
}, 120_000);

afterAll(async () => {
  await expectClean(daemon);
  await daemon[Symbol.asyncDispose]();
});

describe.each(books.map((book) => [book.noun, book] as const))("%s answers as Docker does:", (noun, book) => {
  test.each(book.plays.map(({ name }) => [name]))("%s", (name) => {
    const found = comparePlay(name, recorded.get(noun)?.[name] ?? [], seen.get(noun)?.[name] ?? []);
    differences.push(...found);
    expect(found.filter((difference) => !isWanted(difference)).map(describeDifference)).toEqual([]);
  });

  test("every recorded play is still played", () => {
    expect(Object.keys(recorded.get(noun) ?? {})).toEqual(book.plays.map(({ name }) => name));
  });
});

test("every wanted difference is there", () => {
  const unused = wantedDifferences.filter((wanted) => !differences.some((difference) => covers(wanted, difference)));
  expect(unused).toEqual([]);
});
