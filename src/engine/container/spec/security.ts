import { EngineError, messageOf } from "#lib/errors.ts";
import { parseSeccompProfile, type SeccompProfile } from "./seccomp-profile.ts";

export interface SecurityOptions {
  readonly noNewPrivileges: boolean;
  /** undefined: the default profile. */
  readonly seccomp: SeccompProfile | "unconfined" | undefined;
  /** undefined: as it is without the option. */
  readonly writableCgroups: boolean | undefined;
}

/** Reads `--security-opt`. What this host cannot enforce is refused, not ignored. @throws {EngineError} `invalid` */
export function parseSecurityOptions(options: readonly string[]): SecurityOptions {
  let noNewPrivileges = false;
  let seccomp: SecurityOptions["seccomp"];
  let writableCgroups: SecurityOptions["writableCgroups"];
  for (const option of options) {
    if (option === "no-new-privileges") {
      noNewPrivileges = true;
      continue;
    }
    if (option === "writable-cgroups") {
      writableCgroups = true;
      continue;
    }
    // Without SELinux nothing is labelled, so it is already so.
    if (option === "disable") continue;
    const at = option.search(/[=:]/);
    if (at < 0) throw new EngineError("invalid", `invalid --security-opt 1: ${JSON.stringify(option)}`);
    const [name, value] = [option.slice(0, at), option.slice(at + 1)];
    switch (name) {
      case "no-new-privileges":
        noNewPrivileges = parseBoolean(value, option);
        break;
      case "writable-cgroups":
        writableCgroups = parseBoolean(value, option);
        break;
      case "seccomp":
        seccomp = parseSeccomp(value);
        break;
      case "apparmor":
        if (value !== "unconfined") throw new EngineError("invalid", "AppArmor is not supported on this host");
        break;
      case "label":
        if (value !== "disable") throw new EngineError("invalid", "SELinux is not supported on this host");
        break;
      default:
        throw new EngineError("invalid", `invalid --security-opt 2: ${JSON.stringify(option)}`);
    }
  }
  return { noNewPrivileges, seccomp, writableCgroups };
}

function parseSeccomp(value: string): SecurityOptions["seccomp"] {
  if (value === "unconfined") return "unconfined";
  if (value === "builtin" || value === "") return undefined;
  try {
    return parseSeccompProfile(JSON.parse(value));
  } catch (error) {
    throw new EngineError("invalid", `Decoding seccomp profile failed: ${messageOf(error)}`, { cause: error });
  }
}

function parseBoolean(value: string, option: string): boolean {
  if (["1", "t", "true", "T", "True", "TRUE"].includes(value)) return true;
  if (["0", "f", "false", "F", "False", "FALSE"].includes(value)) return false;
  throw new EngineError("invalid", `invalid --security-opt 2: ${JSON.stringify(option)}`);
}
