import { beforeEach, describe, expect, test } from "bun:test";
import { appendFileSync, existsSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryFolder } from "./sample-spool.ts";
import { Segments } from "./segments.ts";

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

function open(): Segments {
  const segments = new Segments(folder);
  segments.pin();
  return segments;
}

function print(text: string): void {
  appendFileSync(join(folder, "log"), text);
}

/** As conmon does at --log-size-max. */
function rotate(): void {
  writeFileSync(join(folder, "log.tmp"), "");
  renameSync(join(folder, "log.tmp"), join(folder, "log"));
}

function textOf({ descriptor }: { readonly descriptor: number }): string {
  return readFileSync(descriptor, "utf8");
}

describe("Segments", () => {
  test("every segment is kept while somebody pins, and read in order", () => {
    const segments = open();
    for (const text of ["one", "two", "three", "four"]) {
      print(text);
      segments.pin();
      rotate();
      segments.pin();
    }
    const texts = [1, 2, 3, 4].map((number) => {
      expect(segments.isComplete(number)).toBe(true);
      const segment = segments.open(number);
      expect(segment.number).toBe(number);
      return textOf(segment);
    });
    expect(texts).toEqual(["one", "two", "three", "four"]);
    expect(segments.isComplete(5)).toBe(false);
  });

  test("a segment is complete only when conmon has taken the next file", () => {
    const segments = open();
    expect(segments.isComplete(1)).toBe(false);
    rotate();
    expect(segments.isComplete(1)).toBe(true);
  });

  test("after two rotations without anybody nothing is missing", () => {
    expect(open().isComplete(1)).toBe(false);
    print("one");
    rotate();
    print("two");
    const segments = open();
    expect([segments.open(1), segments.open(2)].map(textOf)).toEqual(["one", "two"]);
  });

  test("segments lost while nobody pinned leave a gap in the numbers", () => {
    expect(open().isComplete(1)).toBe(false);
    for (const text of ["one", "two", "lost", "four"]) {
      print(text);
      rotate();
    }
    const segments = open();
    expect([segments.open(1), segments.open(2)].map(textOf)).toEqual(["one", "two"]);
    const next = segments.open(3);
    expect(next.number).toBe(4);
  });

  test("the same when conmon is too fast for somebody who pins", () => {
    const segments = open();
    for (const text of ["one", "two", "lost", "four"]) {
      print(text);
      rotate();
    }
    segments.pin();
    expect(segments.isComplete(2)).toBe(true);
    expect(segments.open(3).number).toBe(4);
    expect(segments.isComplete(4)).toBe(false);
  });

  test("segments behind the reader are removed, and all at the end", () => {
    const segments = open();
    rotate();
    segments.pin();
    segments.removeBefore(2);
    expect(existsSync(join(folder, "log.held.1"))).toBe(false);
    segments.removeAll();
    expect(readdirSync(folder)).toEqual([]);
  });

  test("a spool that was replaced is read from its first segment", () => {
    const segments = open();
    expect(segments.open(17).number).toBe(1);
  });
});
