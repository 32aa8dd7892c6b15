import { expect, test } from "bun:test";
import { ProjectIds } from "./project-ids.ts";

const range = { first: 100, count: 4 };

test("ids are taken in their order, without the probe's and those that records have", () => {
  const ids = new ProjectIds(range, [102]);
  expect([ids.take(), ids.take()]).toEqual([101, 103]);
});

test("what is given back is taken last, and nothing twice", () => {
  const ids = new ProjectIds(range, []);
  const first = ids.take();
  ids.free(first);
  expect([ids.take(), ids.take(), ids.take()]).toEqual([102, 103, 101]);
  expect(() => ids.take()).toThrow("no project is free: 3 containers and volumes have a limit of their size");
});

test("giving back what nobody has is no error, and makes no new id", () => {
  const ids = new ProjectIds(range, [101, 102, 103]);
  ids.free(100);
  ids.free(7);
  expect(() => ids.take()).toThrow("no project is free");
});
