import { EngineError } from "#lib/errors.ts";

const token = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+/;
const parameter = /^\s*;\s*[!#$%&'*+\-.^_`|~0-9A-Za-z]+\s*=\s*(?:[!#$%&'*+\-.^_`|~0-9A-Za-z]+|"(?:[^"\\]|\\.)*")/;

/**
 * Lets pass what dockerd takes for JSON: `application/json` with any parameters, or no header when there is no body.
 * @param header  value of Content-Type
 * @throws {EngineError} `invalid` with dockerd's text
 */
export function checkContentType(header: string | undefined, hasBody: boolean): void {
  if (!header && !hasBody) return;
  const value = header ?? "";
  const fault = faultOf(value);
  if (fault !== undefined) throw new EngineError("invalid", `malformed Content-Type header (${value}): mime: ${fault}`);
  const mediaType = value.split(";", 1)[0]?.trim().toLowerCase();
  if (mediaType !== "application/json") {
    throw new EngineError("invalid", `unsupported Content-Type header (${value}): must be 'application/json'`);
  }
}

/** What Go's mime.ParseMediaType finds wrong. */
function faultOf(value: string): string | undefined {
  const mediaType = value.split(";", 1)[0] ?? "";
  return mediaTypeFault(mediaType.trim()) ?? (parametersAreValid(value.slice(mediaType.length)) ? undefined : "invalid media parameter");
}

function mediaTypeFault(text: string): string | undefined {
  const type = token.exec(text)?.[0];
  if (type === undefined) return "no media type";
  if (type === text) return undefined;
  if (text[type.length] !== "/") return "expected slash after first token";
  const rest = text.slice(type.length + 1);
  const subtype = token.exec(rest)?.[0];
  if (subtype === undefined) return "expected token after slash";
  return subtype === rest ? undefined : "unexpected content after media subtype";
}

function parametersAreValid(text: string): boolean {
  let rest = text;
  for (let match = parameter.exec(rest); match; match = parameter.exec(rest)) rest = rest.slice(match[0].length);
  return rest.trim() === "" || rest.trim() === ";";
}
