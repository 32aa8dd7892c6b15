import { EngineError } from "#lib/errors.ts";
import { isAtLeast } from "#lib/version-numbers.ts";
import type { RuntimeSeccomp, RuntimeSyscallRule } from "#types/oci/runtime-spec.ts";

const actions = new Set(
  ["KILL", "KILL_PROCESS", "KILL_THREAD", "TRAP", "ERRNO", "TRACE", "ALLOW", "LOG", "NOTIFY"].map((name) => `SCMP_ACT_${name}`),
);

/** A profile from a file of the user, in the form Docker reads: the runtime's, with conditions. */
export interface SeccompProfile extends Omit<RuntimeSeccomp, "architectures" | "syscalls"> {
  readonly architectures: readonly string[];
  /** Instead of `architectures`: an architecture with those that its processors run too. */
  readonly architectureMap: ReadonlyMap<string, readonly string[]>;
  readonly rules: readonly ConditionalRule[];
}

interface ConditionalRule extends RuntimeSyscallRule {
  readonly includes: RuleCondition;
  readonly excludes: RuleCondition;
}

interface RuleCondition {
  readonly caps: readonly string[];
  /** As libseccomp names them: `amd64`, `arm64`. */
  readonly arches: readonly string[];
  readonly minKernel: string | undefined;
}

/** Where a container is to run. */
export interface SeccompSituation {
  /** With `CAP_`. */
  readonly capabilities: readonly string[];
  /** In the words of Node: `x64`, `arm64`. */
  readonly architecture: string;
  readonly kernelVersion: string;
}

/** @throws {EngineError} `invalid` with what is wrong */
export function parseSeccompProfile(value: unknown): SeccompProfile {
  const profile = object(value, "profile");
  const architectures = texts(profile["architectures"]);
  const architectureMap = new Map(
    list(profile["archMap"]).map((entry) => {
      const { architecture, subArchitectures } = object(entry, "archMap");
      return [String(architecture), [String(architecture), ...texts(subArchitectures)]] as const;
    }),
  );
  if (architectures.length > 0 && architectureMap.size > 0)
    throw new EngineError(
      "invalid",
      "both 'architectures' and 'archMap' are specified in the seccomp profile, use either 'architectures' or 'archMap'",
    );
  return {
    defaultAction: action(profile["defaultAction"]),
    ...(typeof profile["defaultErrnoRet"] === "number" && { defaultErrnoRet: profile["defaultErrnoRet"] }),
    architectures,
    architectureMap,
    rules: list(profile["syscalls"]).map((rule) => parseRule(object(rule, "syscalls"))),
  };
}

/** The rules of a profile that apply to one container. Pure. */
export function seccompFor(profile: SeccompProfile, situation: SeccompSituation): RuntimeSeccomp {
  const { architectures, architectureMap, rules, ...rest } = profile;
  const all = architectureMap.get(names[situation.architecture]?.seccomp ?? "") ?? architectures;
  const syscalls = rules
    .filter((rule) => rule.names.length > 0 && applies(rule, situation))
    .map(({ includes: _in, excludes: _ex, ...rule }) => rule);
  return { ...rest, ...(all.length > 0 && { architectures: all }), syscalls };
}

const names: Readonly<Record<string, { readonly seccomp: string; readonly library: string }>> = {
  x64: { seccomp: "SCMP_ARCH_X86_64", library: "amd64" },
  arm64: { seccomp: "SCMP_ARCH_AARCH64", library: "arm64" },
};

/** Everything that is included must be there, and nothing that is excluded. */
function applies({ includes, excludes }: ConditionalRule, { capabilities, architecture, kernelVersion }: SeccompSituation): boolean {
  const own = names[architecture]?.library ?? architecture;
  const isNewEnough = (minimum: string): boolean => isAtLeast(kernelVersion, minimum);
  if (excludes.arches.includes(own) || excludes.caps.some((name) => capabilities.includes(name))) return false;
  if (excludes.minKernel !== undefined && isNewEnough(excludes.minKernel)) return false;
  if (includes.arches.length > 0 && !includes.arches.includes(own)) return false;
  if (includes.minKernel !== undefined && !isNewEnough(includes.minKernel)) return false;
  return includes.caps.every((name) => capabilities.includes(name));
}

function parseRule(rule: Readonly<Record<string, unknown>>): ConditionalRule {
  const args = list(rule["args"]).map((entry) => parseArgument(object(entry, "args")));
  const one = typeof rule["name"] === "string" && rule["name"] !== "" ? [rule["name"]] : [];
  const many = texts(rule["names"]);
  if (one.length > 0 && many.length > 0)
    throw new EngineError("invalid", "both 'name' and 'names' are specified in the seccomp profile, use either 'name' or 'names'");
  return {
    names: [...one, ...many],
    action: action(rule["action"]),
    ...(typeof rule["errnoRet"] === "number" && { errnoRet: rule["errnoRet"] }),
    ...(args.length > 0 && { args }),
    includes: parseCondition(rule["includes"]),
    excludes: parseCondition(rule["excludes"]),
  };
}

function parseCondition(value: unknown): RuleCondition {
  const { caps, arches, minKernel, ...others } = object(value ?? {}, "a condition");
  const unknown = Object.keys(others)[0];
  // A condition that is not understood would widen what the container may do.
  if (unknown !== undefined) throw new EngineError("invalid", `unknown condition ${JSON.stringify(unknown)} in the seccomp profile`);
  if (minKernel !== undefined && (typeof minKernel !== "string" || !/^\d+\.\d+$/.test(minKernel)))
    throw new EngineError(
      "invalid",
      `invalid kernel version ${JSON.stringify(minKernel)} in the seccomp profile, expected format '<kernel>.<major>'`,
    );
  return { caps: texts(caps), arches: texts(arches), minKernel };
}

function parseArgument(entry: Readonly<Record<string, unknown>>): NonNullable<RuntimeSyscallRule["args"]>[number] {
  const number = (key: string): number => (typeof entry[key] === "number" ? entry[key] : 0);
  return { index: number("index"), value: number("value"), valueTwo: number("valueTwo"), op: String(entry["op"]) };
}

function action(value: unknown): string {
  if (typeof value !== "string" || !actions.has(value)) throw new EngineError("invalid", `invalid seccomp action ${JSON.stringify(value)}`);
  return value;
}

const list = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);
const texts = (value: unknown): readonly string[] => list(value).map(String);

function object(value: unknown, what: string): Readonly<Record<string, unknown>> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw new EngineError("invalid", `${what} is not an object`);
  return Object.fromEntries(Object.entries(value));
}
