import { EngineError } from "#lib/errors.ts";
import type { RuntimeSeccomp, RuntimeSyscallRule } from "#types/oci/runtime-spec.ts";
import { cubeOf, cubesWithout, intersect, type Cube } from "./cubes.ts";

/**
 * Requests of ioctl by which the owner of a file takes it out of a project, or a folder's new files: FS_IOC_FSSETXATTR has the project's
 * number, FS_IOC_SETFLAGS, of 64-bit and 32-bit programs, the flag that new files inherit it. The kernel looks at the lower half of the
 * argument alone. Source: linux/fs.h.
 */
const projectRequests = [0x401c5820, 0x40086602, 0x40046602];
/** Does the same, from Linux 6.17 on. */
const projectCall = "file_setattr";

const EPERM = 1;
const requestIndex = 1;
/** Everything else lets the call through, or lets somebody else decide that. */
const refusals = ["SCMP_ACT_ERRNO", "SCMP_ACT_KILL", "SCMP_ACT_KILL_THREAD", "SCMP_ACT_KILL_PROCESS", "SCMP_ACT_TRAP"];

type Comparison = NonNullable<RuntimeSyscallRule["args"]>[number];

/**
 * A profile of which nothing is left that would let a container leave the project that limits what it writes. A filter of libseccomp has one
 * answer for a call, and knows no "but for": where ioctl is allowed, it is allowed for all other requests instead.
 * @throws {EngineError} `invalid` for rules that compare the request in a way that cannot be told together with this
 */
export function withoutProjectChanges(profile: RuntimeSeccomp): RuntimeSeccomp {
  const syscalls = profile.syscalls.flatMap((rule) => (refusals.includes(rule.action) ? [rule] : guarded(rule)));
  return { ...profile, syscalls: refusals.includes(profile.defaultAction) ? syscalls : [...syscalls, ...refusalRules] };
}

/** For a profile that allows what it does not name. */
const refusalRules: readonly RuntimeSyscallRule[] = [
  ...projectRequests.map((request) => ({
    ...{ names: ["ioctl"], action: "SCMP_ACT_ERRNO", errnoRet: EPERM },
    args: [comparison(cubeOf(request))],
  })),
  { names: [projectCall], action: "SCMP_ACT_ERRNO", errnoRet: EPERM },
];

function guarded(rule: RuntimeSyscallRule): RuntimeSyscallRule[] {
  const names = rule.names.filter((name) => name !== "ioctl" && name !== projectCall);
  const others = names.length > 0 ? [{ ...rule, names }] : [];
  return rule.names.includes("ioctl") ? [...others, ...guardedIoctl(rule)] : others;
}

function guardedIoctl(rule: RuntimeSyscallRule): RuntimeSyscallRule[] {
  const isRequest = ({ index }: Comparison): boolean => index === requestIndex;
  const rest = (rule.args ?? []).filter((argument) => !isRequest(argument));
  const compared = (rule.args ?? []).filter(isRequest);
  return allowedRequests(compared).map((cube) => ({ ...rule, names: ["ioctl"], args: [...rest, comparison(cube)] }));
}

/** What a rule's comparisons of the request let through, but for those above. */
function allowedRequests(compared: readonly Comparison[]): readonly Cube[] {
  const [only, ...more] = compared;
  if (only === undefined) return cubesWithout(projectRequests);
  if (more.length === 0 && only.op === "SCMP_CMP_NE") return cubesWithout([...projectRequests, only.value]);
  const wanted = more.length === 0 ? cubeOfComparison(only) : undefined;
  if (wanted === undefined)
    throw new EngineError(
      "invalid",
      `the seccomp profile compares the request of ioctl by ${compared.map(({ op }) => op).join(" and ")}: a limit of the size needs SCMP_CMP_EQ, SCMP_CMP_NE or SCMP_CMP_MASKED_EQ, once`,
    );
  return cubesWithout(projectRequests).flatMap((cube) => intersect(cube, wanted) ?? []);
}

function cubeOfComparison({ op, value, valueTwo = 0 }: Comparison): Cube | undefined {
  if (op === "SCMP_CMP_EQ") return cubeOf(value);
  return op === "SCMP_CMP_MASKED_EQ" ? { mask: value >>> 0, value: (valueTwo & value) >>> 0 } : undefined;
}

function comparison({ mask, value }: Cube): Comparison {
  return { index: requestIndex, value: mask, valueTwo: value, op: "SCMP_CMP_MASKED_EQ" };
}
