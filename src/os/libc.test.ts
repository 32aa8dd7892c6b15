import { expect, test } from "bun:test";
import { constants } from "node:os";
import { SystemError } from "./libc.ts";

test("an errno with several names has the one that code is compared with", () => {
  const { EAGAIN, ENOENT, ENOTSUP } = constants.errno;
  expect([EAGAIN, ENOTSUP, ENOENT].map((errno) => new SystemError("call", errno).code)).toEqual(["EAGAIN", "ENOTSUP", "ENOENT"]);
});
