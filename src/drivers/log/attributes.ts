import { EngineError } from "#lib/errors.ts";
import { attributesLimitBytes } from "./convert.ts";
import { lineFormat } from "./json-line.ts";

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
}

/**
 * `attrs` of a container's log lines, from the options labels, labels-regex, env, env-regex and tag.
 * @throws {EngineError} `invalid` with dockerd's words for a pattern or template that cannot be used, or when they are too long
 * Source: moby, daemon/logger/loginfo.go, ExtraAttributes(); compared with dockerd 28.5.
 */
export function logAttributes(options: Readonly<Record<string, string>>, container: LoggedContainer): Record<string, string> {
  const environment = Object.fromEntries(container.environment.map(splitVariable));
  const attributes = {
    ...chosen(container.labels, options["labels"], options["labels-regex"]),
    ...chosen(environment, options["env"], options["env-regex"]),
  };
  const tag = options["tag"] === undefined ? "" : expandTag(options["tag"], container);
  if (tag !== "") attributes["tag"] = tag;
  // They stand in every line of the log.
  if (lineFormat(attributes).stdout.length > attributesLimitBytes)
    throw new EngineError("invalid", `failed to initialize logging driver: attributes are longer than ${attributesLimitBytes} bytes`);
  return attributes;
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
    throw new EngineError("invalid", `failed to initialize logging driver: error parsing regexp: \`${pattern}\``, { cause: error });
  }
}

/** The fields of Docker's template that people use; a template with anything else in it is refused. */
function expandTag(template: string, container: LoggedContainer): string {
  const imageDigits = container.imageId.replace(/^sha256:/, "");
  const fields: Readonly<Record<string, string>> = {
    ID: container.id.slice(0, 12),
    FullID: container.id,
    Name: container.name,
    ImageID: imageDigits.slice(0, 12),
    ImageFullID: container.imageId,
    ImageName: container.imageName,
    DaemonName: "docker",
  };
  const text = template.replaceAll(/\{\{\s*\.(\w+)\s*\}\}/g, (whole, name: string) => fields[name] ?? whole);
  if (text.includes("{{"))
    throw new EngineError("invalid", `failed to initialize logging driver: template: log-tag: cannot expand "${template}"`);
  return text;
}
