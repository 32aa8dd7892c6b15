import { expect, test } from "bun:test";
import { stringifyExact } from "#lib/exact-integers.ts";
import { toRlimits } from "./rlimits.ts";

test("no limit reaches the runtime with all its digits, other limits as they are", () => {
  const limits = toRlimits(
    [
      { Name: "core", Soft: -1, Hard: -1 },
      { Name: "nofile", Soft: 100, Hard: -1 },
    ],
    [{ Name: "nproc", Soft: 5, Hard: 6 }],
  );
  expect(stringifyExact(limits)).toBe(
    '[{"type":"RLIMIT_NPROC","soft":5,"hard":6},' +
      '{"type":"RLIMIT_CORE","soft":18446744073709551615,"hard":18446744073709551615},' +
      '{"type":"RLIMIT_NOFILE","soft":100,"hard":18446744073709551615}]',
  );
});
