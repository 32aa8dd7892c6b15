import { EngineError } from "#lib/errors.ts";
import type { RuntimeSeccomp, RuntimeSyscallRule } from "#types/oci/runtime-spec.ts";

const actions = new Set(
  ["KILL", "KILL_PROCESS", "KILL_THREAD", "TRAP", "ERRNO", "TRACE", "ALLOW", "LOG", "NOTIFY"].map((name) => `SCMP_ACT_${name}`),
);

/**
 * A profile from a file of the user, in the form Docker reads: `names` or `name`, conditions by architecture. Conditions by capability need
 * the container's set and are refused here rather than widened.
 */
export function parseSeccompProfile(value: unknown): RuntimeSeccomp {
  const profile = object(value, "profile");
  const syscalls = (Array.isArray(profile["syscalls"]) ? profile["syscalls"] : []).map((rule) => parseRule(object(rule, "syscalls")));
  return {
    defaultAction: action(profile["defaultAction"]),
    ...(typeof profile["defaultErrnoRet"] === "number" && { defaultErrnoRet: profile["defaultErrnoRet"] }),
    ...(Array.isArray(profile["architectures"]) && { architectures: profile["architectures"].map(String) }),
    syscalls: syscalls.filter((rule) => rule.names.length > 0),
  };
}

function parseRule(rule: Readonly<Record<string, unknown>>): RuntimeSyscallRule {
  for (const condition of ["includes", "excludes"]) {
    const value = rule[condition];
    if (typeof value === "object" && value !== null && Object.keys(value).length > 0) {
      throw new EngineError("not_implemented", `"${condition}" in a seccomp profile is not implemented yet`);
    }
  }
  const names = Array.isArray(rule["names"]) ? rule["names"].map(String) : typeof rule["name"] === "string" ? [rule["name"]] : [];
  const args = Array.isArray(rule["args"]) ? rule["args"].map((entry) => parseArgument(object(entry, "args"))) : [];
  return {
    names,
    action: action(rule["action"]),
    ...(typeof rule["errnoRet"] === "number" && { errnoRet: rule["errnoRet"] }),
    ...(args.length > 0 && { args }),
  };
}

function parseArgument(entry: Readonly<Record<string, unknown>>): NonNullable<RuntimeSyscallRule["args"]>[number] {
  const number = (key: string): number => (typeof entry[key] === "number" ? entry[key] : 0);
  return { index: number("index"), value: number("value"), valueTwo: number("valueTwo"), op: String(entry["op"]) };
}

function action(value: unknown): string {
  if (typeof value !== "string" || !actions.has(value)) throw new EngineError("invalid", `invalid seccomp action ${JSON.stringify(value)}`);
  return value;
}

function object(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new EngineError("invalid", `${what} is not an object`);
  return value as Readonly<Record<string, unknown>>;
}
