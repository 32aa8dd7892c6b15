import { expect, test } from "bun:test";
import { parseSecurityOptions } from "./security.ts";

test.each([
  [[], { noNewPrivileges: false, seccomp: undefined, writableCgroups: undefined }],
  [["no-new-privileges"], { noNewPrivileges: true, seccomp: undefined, writableCgroups: undefined }],
  [["no-new-privileges:false"], { noNewPrivileges: false, seccomp: undefined, writableCgroups: undefined }],
  [["writable-cgroups"], { noNewPrivileges: false, seccomp: undefined, writableCgroups: true }],
  [["writable-cgroups=false"], { noNewPrivileges: false, seccomp: undefined, writableCgroups: false }],
  [
    ["seccomp=unconfined", "label=disable", "disable", "apparmor=unconfined"],
    { noNewPrivileges: false, seccomp: "unconfined", writableCgroups: undefined },
  ],
])("%p", (options, expected) => {
  expect<unknown>(parseSecurityOptions(options)).toEqual(expected);
});

test.each([
  ["nonsense", 'invalid --security-opt 1: "nonsense"'],
  ["", 'invalid --security-opt 1: ""'],
  ["a=b", 'invalid --security-opt 2: "a=b"'],
  ["no-new-privileges=x", 'invalid --security-opt 2: "no-new-privileges=x"'],
  ["writable-cgroups=x", 'invalid --security-opt 2: "writable-cgroups=x"'],
  ["apparmor=docker-default", "AppArmor is not supported on this host"],
  ["seccomp=nofile", "Decoding seccomp profile failed"],
])("%p is refused: what cannot be enforced is never ignored (D8)", (option, message) => {
  expect(() => parseSecurityOptions([option])).toThrow(message);
});
