import { expect, test } from "bun:test";
import { parseSeccompProfile, seccompFor } from "./seccomp-profile.ts";

const here = { capabilities: ["CAP_CHOWN", "CAP_SYS_PTRACE"], architecture: "x64", kernelVersion: "6.1.0-13-amd64" };
const namesFor = (rule: object, situation = here) => {
  const profile = { defaultAction: "SCMP_ACT_ERRNO", syscalls: [{ names: ["it"], action: "SCMP_ACT_ALLOW", ...rule }] };
  return seccompFor(parseSeccompProfile(profile), situation).syscalls.flatMap(({ names }) => names);
};

test.each([
  [{}, true],
  [{ includes: {}, excludes: {} }, true],
  [{ includes: { caps: ["CAP_CHOWN"] } }, true],
  [{ includes: { caps: ["CAP_CHOWN", "CAP_SYS_ADMIN"] } }, false],
  [{ excludes: { caps: ["CAP_SYS_ADMIN"] } }, true],
  [{ excludes: { caps: ["CAP_SYS_ADMIN", "CAP_CHOWN"] } }, false],
  [{ includes: { arches: ["amd64", "x32"] } }, true],
  [{ includes: { arches: ["arm64"] } }, false],
  [{ excludes: { arches: ["amd64"] } }, false],
  [{ includes: { minKernel: "4.8" } }, true],
  [{ includes: { minKernel: "6.2" } }, false],
  [{ excludes: { minKernel: "6.1" } }, false],
])("a rule with %j applies: %p", (rule, applies) => {
  expect(namesFor(rule)).toEqual(applies ? ["it"] : []);
});

test("the architectures of this machine are taken from the map", () => {
  const archMap = [
    { architecture: "SCMP_ARCH_AARCH64", subArchitectures: ["SCMP_ARCH_ARM"] },
    { architecture: "SCMP_ARCH_X86_64", subArchitectures: ["SCMP_ARCH_X86"] },
  ];
  expect(seccompFor(parseSeccompProfile({ defaultAction: "SCMP_ACT_ALLOW", archMap }), here).architectures).toEqual([
    "SCMP_ARCH_X86_64",
    "SCMP_ARCH_X86",
  ]);
});

test.each([
  [{ syscalls: [] }, "invalid seccomp action undefined"],
  [{ defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ name: "a", names: ["b"], action: "SCMP_ACT_ALLOW" }] }, "use either 'name' or 'names'"],
  [
    { defaultAction: "SCMP_ACT_ALLOW", syscalls: [{ name: "a", action: "SCMP_ACT_ALLOW", includes: { users: ["x"] } }] },
    "unknown condition",
  ],
  [{ defaultAction: "SCMP_ACT_ALLOW", architectures: ["a"], archMap: [{ architecture: "b" }] }, "use either 'architectures' or 'archMap'"],
])("%j is refused", (profile, message) => {
  expect(() => parseSeccompProfile(profile)).toThrow(message);
});
