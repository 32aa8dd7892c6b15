import { expect, test } from "bun:test";
import { readTagPage } from "./tags.ts";

const body = (value: unknown) => Buffer.from(JSON.stringify(value));

test("a page gives its tags and the next page of the same list", () => {
  expect(readTagPage(body({ tags: ["1", "-bad", 2, "b.c"] }), '</v2/a/tags/list?last=b&n=2>; rel="next"', "/v2/a/tags/list")).toEqual({
    tags: ["1", "b.c"],
    next: "/v2/a/tags/list?last=b&n=2",
  });
  expect(readTagPage(body({ tags: null }), null, "/v2/a/tags/list")).toEqual({ tags: [], next: undefined });
});

test.each(["<https://elsewhere/v2/b/tags/list>; rel=next", "</etc/passwd>; rel=next", "nonsense"])(
  "the next page %s is not followed",
  (link) => {
    expect(readTagPage(body({ tags: [] }), link, "/v2/a/tags/list").next).toBeUndefined();
  },
);
