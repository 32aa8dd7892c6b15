import { EngineError } from "#lib/errors.ts";
import { checkContentType } from "./content-type.ts";
import { decodeJson, emptyValue } from "./decode.ts";
import type { Inputs } from "./generated/schema.ts";

/** What decoding needs of a request. */
export interface BodySource {
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string | undefined>>;
  body(limitBytes?: number): Promise<Uint8Array>;
}

/** How dockerd's handler of one operation differs from the others. */
interface BodyRule {
  /** Comes before the message of the JSON decoder. */
  readonly prefix: string;
  /** Answer to a body of white space only. Absent: it is as good as none. */
  readonly blank?: string;
  /** A body must be there; else it may be left out altogether, and all fields with it. */
  readonly required: boolean;
}

const usual: BodyRule = { prefix: "invalid JSON: ", blank: "invalid JSON: got EOF while reading request body", required: false };
const rules: Partial<Record<keyof Inputs, BodyRule>> = {
  ContainerCreate: { ...usual, required: true },
  ImageCommit: { prefix: "invalid JSON: ", required: false },
  SystemAuth: { prefix: "", blank: "EOF", required: true },
};

/**
 * The JSON body of an operation, by the operation's id (`ContainerCreate`, `NetworkConnect`…).
 * @param limitBytes  as of `ApiRequest.body`
 * @throws {EngineError} `invalid` for another Content-Type, bad JSON or wrong types, `too_large`
 */
export async function readJsonBody<Name extends keyof Inputs>(name: Name, request: BodySource, limitBytes?: number): Promise<Inputs[Name]> {
  const body = await request.body(limitBytes);
  checkContentType(request.headers["content-type"], body.length > 0);
  return decodeBody(name, body);
}

/** As `readJsonBody`, for a body at hand whose Content-Type was checked. */
export function decodeBody<Name extends keyof Inputs>(name: Name, body: Uint8Array | string): Inputs[Name] {
  const rule: BodyRule = rules[name] ?? usual;
  if (isBlank(body)) {
    const isRefused = rule.required || body.length > 0;
    if (isRefused && rule.blank !== undefined) throw new EngineError("invalid", rule.blank);
    return emptyValue(name);
  }
  return decodeJson(name, body, rule.prefix);
}

function isBlank(body: Uint8Array | string): boolean {
  const bytes = typeof body === "string" ? Buffer.from(body) : body;
  return bytes.every((byte) => byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09);
}
