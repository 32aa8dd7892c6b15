import { expect, test } from "bun:test";
import { TreeBorrows } from "./tree-borrows.ts";

test("a tree that was mounted for borrowers is theirs until its container takes it over", () => {
  const borrows = new TreeBorrows();
  borrows.add("/t");
  borrows.disown("/t");
  expect([borrows.isBorrowedOnly("/t"), borrows.count("/t")]).toEqual([true, 1]);
  borrows.own("/t");
  expect(borrows.isBorrowedOnly("/t")).toBe(false);
  borrows.disown("/t");
  expect(borrows.isBorrowedOnly("/t")).toBe(true);
});

test("returned() waits for the last borrower, and nothing is remembered of a tree that nobody has", async () => {
  const borrows = new TreeBorrows();
  await borrows.returned("/t");
  borrows.add("/t");
  borrows.add("/t");
  borrows.disown("/t");
  let isReturned = false;
  const returned = borrows.returned("/t").then(() => (isReturned = true));
  borrows.remove("/t");
  await Promise.resolve();
  expect([isReturned, borrows.count("/t")]).toEqual([false, 1]);
  borrows.remove("/t");
  await returned;
  expect([borrows.count("/t"), borrows.isBorrowedOnly("/t")]).toEqual([0, false]);
  borrows.disown("/t");
  expect(borrows.isBorrowedOnly("/t")).toBe(false);
});
