import { hostname } from "node:os";
import { EngineError } from "#lib/errors.ts";
import type { LoggedContainer } from "./attributes.ts";

/** What a tag is when nobody says otherwise. */
export const defaultTag = "{{.ID}}";

const shortIdLength = 12;
const functions: Readonly<Record<string, (text: string) => string>> = {
  upper: (text) => text.toUpperCase(),
  lower: (text) => text.toLowerCase(),
  title: (text) => text.replace(/(^|\s)(\S)/gu, (_, before: string, letter: string) => before + letter.toUpperCase()),
};

/**
 * Expands the option `tag`: the fields of Docker's template, alone or with one of its text functions.
 * @throws {EngineError} `invalid` with Go's text; also for the parts of Go's templates that are not known here
 */
export function expandTag(template: string, container: LoggedContainer): string {
  let text = "";
  let at = 0;
  for (let open = template.indexOf("{{"); open >= 0; open = template.indexOf("{{", at)) {
    const close = template.indexOf("}}", open);
    if (close < 0) throw new EngineError("invalid", "template: log-tag:1: unclosed action");
    text += template.slice(at, open) + evaluate(template.slice(open + 2, close), open + 2, container);
    at = close + 2;
  }
  return text + template.slice(at);
}

function evaluate(action: string, position: number, container: LoggedContainer): string {
  const match = /^-?\s*(?:([a-z]+)\s+)?\.(\w+)\s*(?:\|\s*([a-z]+))?\s*-?$/.exec(action);
  const [, before, name = "", after] = match ?? [];
  const known = [before, after].every((called) => called === undefined || Object.hasOwn(functions, called));
  if (!match || !known) throw new EngineError("invalid", `template: log-tag:1: cannot expand "{{${action}}}"`);
  const field = fieldsOf(container)[name];
  const start = position + action.indexOf(`.${name}`);
  if (field === undefined)
    throw new EngineError(
      "invalid",
      `template: log-tag:1:${start}: executing "log-tag" at <.${name}>: can't evaluate field ${name} in type *logger.Info`,
    );
  let text = field;
  for (const called of [before, after]) text = functions[called ?? ""]?.(text) ?? text;
  return text;
}

/** Source: moby, daemon/logger/loginfo.go; compared with dockerd 28.5. */
function fieldsOf(container: LoggedContainer): Readonly<Record<string, string>> {
  const { id, name, imageId, imageName, command } = container;
  return {
    ID: id.slice(0, shortIdLength),
    FullID: id,
    Name: name,
    // The first letters, the algorithm among them.
    ImageID: imageId.slice(0, shortIdLength),
    ImageFullID: imageId,
    ImageName: imageName,
    Command: command.join(" "),
    Hostname: hostname(),
    DaemonName: "docker",
    ContainerID: id,
    ContainerName: `/${name}`,
    ContainerImageID: imageId,
    ContainerImageName: imageName,
  };
}
