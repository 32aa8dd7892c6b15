import { EngineError } from "#lib/errors.ts";
import { initializationError, initialize } from "./initialize.ts";
import { attributesLimitBytes } from "./json-converter.ts";
import { lineFormat } from "./json-line.ts";
import { expandTag } from "./tag.ts";

type Options = Readonly<Record<string, string>>;

/** What attributes are made of. */
export interface LoggedContainer {
  readonly id: string;
  /** Without the slash. */
  readonly name: string;
  readonly imageId: string;
  readonly imageName: string;
  readonly labels: Readonly<Record<string, string>>;
  /** `NAME=value` */
  readonly environment: readonly string[];
  /** RFC 3339. */
  readonly createdAt: string;
  /** Entrypoint and arguments. */
  readonly command: readonly string[];
}

/**
 * `attrs` of a container's lines in a json-file, from the options labels, labels-regex, env, env-regex and tag.
 * @throws {EngineError} `invalid` with dockerd's words for a pattern or template that cannot be used, or when they are too long
 */
export function logAttributes(options: Options, container: LoggedContainer): Record<string, string> {
  const attributes = initialize(() => extraAttributes(options, container));
  const tag = options["tag"] === undefined ? "" : initialize(() => expandTag(options["tag"] ?? "", container));
  if (tag !== "") attributes["tag"] = tag;
  // They stand in every line of the log.
  if (lineFormat(attributes).stdout.length > attributesLimitBytes)
    throw initializationError(new EngineError("invalid", `attributes are longer than ${attributesLimitBytes} bytes`));
  return attributes;
}

/**
 * What every driver takes from labels and variables.
 * @throws {EngineError} `invalid`
 * Source: moby, daemon/logger/loginfo.go, ExtraAttributes(); compared with dockerd 28.5.
 */
export function extraAttributes(options: Options, container: LoggedContainer): Record<string, string> {
  const environment = Object.fromEntries(container.environment.map(splitVariable));
  return {
    ...chosen(container.labels, options["labels"], options["labels-regex"]),
    ...chosen(environment, options["env"], options["env-regex"]),
  };
}

function splitVariable(variable: string): [string, string] {
  const at = variable.indexOf("=");
  return at < 0 ? [variable, ""] : [variable.slice(0, at), variable.slice(at + 1)];
}

function chosen(values: Readonly<Record<string, string>>, names: string | undefined, pattern: string | undefined): Record<string, string> {
  const found: Record<string, string> = {};
  for (const name of (names ?? "").split(",")) {
    const value = Object.hasOwn(values, name) ? values[name] : undefined;
    if (name !== "" && value !== undefined) found[name] = value;
  }
  const expression = pattern ? compile(pattern) : undefined;
  for (const [name, value] of Object.entries(values)) if (expression?.test(name)) found[name] = value;
  return found;
}

function compile(pattern: string): RegExp {
  try {
    return new RegExp(pattern, "u");
  } catch (error) {
    const unclosed = /unterminated|missing|unmatched/i.test(String(error)) ? unclosedBracket(pattern) : undefined;
    const problem = unclosed ? `missing closing ${unclosed}: ` : "";
    throw new EngineError("invalid", `error parsing regexp: ${problem}\`${pattern}\``, { cause: error });
  }
}

function unclosedBracket(pattern: string): string | undefined {
  if (pattern.includes("[") && !pattern.includes("]")) return "]";
  return pattern.split("(").length > pattern.split(")").length ? ")" : undefined;
}
