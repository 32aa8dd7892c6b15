import { expect, test } from "bun:test";
import fc from "fast-check";
import type { RuntimeSeccomp, RuntimeSyscallRule } from "#types/oci/runtime-spec.ts";
import { defaultSeccompProfile } from "./default-profile.ts";
import { withoutProjectChanges } from "./project-guard.ts";

const requests = [0x401c5820, 0x40086602, 0x40046602];
const [TCGETS, TIOCSTI] = [0x5401, 0x5412];
/** Garbage in the upper half, which the kernel does not see. */
const wide = (request: number): number => 0xabcd * 2 ** 32 + request;

/** Actions that the rules of a profile give a call; the default when there is none. */
function actionsFor({ syscalls, defaultAction }: RuntimeSeccomp, name: string, request: number): string[] {
  const found = syscalls.filter((rule) => rule.names.includes(name) && matches(rule, request)).map(({ action }) => action);
  return found.length > 0 ? [...new Set(found)] : [defaultAction];
}

function matches({ args = [] }: RuntimeSyscallRule, request: number): boolean {
  return args.every(({ index, value, valueTwo = 0, op }) => {
    if (index !== 1) return true;
    if (op === "SCMP_CMP_MASKED_EQ") return (BigInt(request) & BigInt(value)) === BigInt(valueTwo);
    return op === "SCMP_CMP_EQ" ? request === value : request !== value;
  });
}

const profile = (defaultAction: string, ...syscalls: RuntimeSyscallRule[]): RuntimeSeccomp => ({ defaultAction, syscalls });
const on = (action: string, op?: string, value = 0, valueTwo = 0): RuntimeSyscallRule => ({
  names: ["read", "ioctl", "file_setattr"],
  action,
  ...(op !== undefined && { args: [{ index: 1, value, valueTwo, op }] }),
});

test("the default profile refuses what changes the project of a file, and nothing else of ioctl", () => {
  const guarded = withoutProjectChanges(defaultSeccompProfile([]));
  for (const request of requests.flatMap((one) => [one, wide(one)]))
    expect(actionsFor(guarded, "ioctl", request)).toEqual(["SCMP_ACT_ERRNO"]);
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 0xffffffff }), (request) => {
      fc.pre(!requests.includes(request));
      for (const one of [request, wide(request)]) expect(actionsFor(guarded, "ioctl", one)).toEqual(["SCMP_ACT_ALLOW"]);
    }),
  );
  for (const request of [TCGETS, 0x801c581f, 0x80086601, 0x401c5821, 0xc0086602])
    expect(actionsFor(guarded, "ioctl", request >>> 0)).toEqual(["SCMP_ACT_ALLOW"]);
  expect(actionsFor(guarded, "read", 0)).toEqual(["SCMP_ACT_ALLOW"]);
});

test("a profile that allows what it does not name refuses these by rules of their own", () => {
  const guarded = withoutProjectChanges(profile("SCMP_ACT_ALLOW"));
  for (const request of requests.flatMap((one) => [one, wide(one)]))
    expect(actionsFor(guarded, "ioctl", request)).toEqual(["SCMP_ACT_ERRNO"]);
  expect(actionsFor(guarded, "ioctl", TCGETS)).toEqual(["SCMP_ACT_ALLOW"]);
  expect(actionsFor(guarded, "file_setattr", 0)).toEqual(["SCMP_ACT_ERRNO"]);
});

test.each([
  ["nothing", on("SCMP_ACT_LOG"), [TCGETS, wide(TCGETS), TIOCSTI, 0x20, 0x5420]],
  ["one request", on("SCMP_ACT_LOG", "SCMP_CMP_EQ", TCGETS), [TCGETS, wide(TCGETS)]],
  ["one that is refused", on("SCMP_ACT_LOG", "SCMP_CMP_EQ", requests[0]), []],
  ["all but one", on("SCMP_ACT_LOG", "SCMP_CMP_NE", TIOCSTI), [TCGETS, wide(TCGETS), 0x20, 0x5420]],
  ["a part of the request", on("SCMP_ACT_LOG", "SCMP_CMP_MASKED_EQ", 0xff00, 0x5400), [TCGETS, wide(TCGETS), TIOCSTI, 0x5420]],
  ["a part that a refused one has", on("SCMP_ACT_LOG", "SCMP_CMP_MASKED_EQ", 0xff, 0x20), [0x20, 0x5420]],
])("a rule that compares %s keeps its meaning but for these", (_what, rule, logged) => {
  const guarded = withoutProjectChanges(profile("SCMP_ACT_ERRNO", rule));
  const candidates = [TCGETS, wide(TCGETS), TIOCSTI, 0x20, 0x5420, ...requests, ...requests.map(wide)];
  expect(candidates.filter((request) => actionsFor(guarded, "ioctl", request).includes("SCMP_ACT_LOG"))).toEqual(logged);
  expect(actionsFor(guarded, "file_setattr", 0)).toEqual(["SCMP_ACT_ERRNO"]);
});

test("rules that refuse stay as they are", () => {
  const rule = on("SCMP_ACT_KILL_PROCESS", "SCMP_CMP_GT", 7);
  expect(withoutProjectChanges(profile("SCMP_ACT_ERRNO", rule)).syscalls).toEqual([rule]);
});

test.each([
  [[{ index: 1, value: 7, op: "SCMP_CMP_LT" }], "SCMP_CMP_LT"],
  [
    [
      { index: 1, value: 7, op: "SCMP_CMP_NE" },
      { index: 1, value: 8, op: "SCMP_CMP_NE" },
    ],
    "SCMP_CMP_NE and SCMP_CMP_NE",
  ],
])("comparisons that cannot be told together with it are refused: %j", (args, named) => {
  const rule = { names: ["ioctl"], action: "SCMP_ACT_ALLOW", args };
  expect(() => withoutProjectChanges(profile("SCMP_ACT_ERRNO", rule))).toThrow(`compares the request of ioctl by ${named}`);
});
