import { EngineError } from "#lib/errors.ts";

/** How the end of a body is known. Source: RFC 9112, 6. */
export type BodyFraming =
  { readonly type: "none" } | { readonly type: "length"; readonly sizeBytes: number } | { readonly type: "chunked" };

export interface RequestHead {
  readonly method: string;
  readonly target: string;
  /** Names in lower case; several of one name are joined by ", ". */
  readonly headers: Readonly<Record<string, string | undefined>>;
  readonly framing: BodyFraming;
  /** The protocol of the `Upgrade` header, in lower case, when `Connection` names it too. */
  readonly upgrade?: string;
  readonly keepAlive: boolean;
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
const onlyOnce = new Set(["host", "content-length", "transfer-encoding", "content-type"]);

/**
 * Reads the head of a request whose connection may be taken over: node:http cannot give such a connection away without an Upgrade
 * header, so these few requests are read here. Everything that two readers could understand differently is refused.
 * @param bytes from the method to the empty line, that line included
 * @throws {EngineError} `invalid`
 * Source: RFC 9112, 2 to 7.
 */
export function parseRequestHead(bytes: Uint8Array): RequestHead {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString("latin1");
  const [requestLine = "", ...fieldLines] = text.slice(0, -4).split("\r\n");
  const match = /^([A-Z]+) ([\x21-\xff]+) HTTP\/1\.([01])$/.exec(requestLine);
  const [, method = "", target = "", minor = ""] = match ?? [];
  if (!match) throw malformed("request line");
  const headers = parseFields(fieldLines);
  if (headers["host"] === undefined && minor === "1") throw malformed("request: missing required Host header");
  const connection = (headers["connection"] ?? "").toLowerCase().split(/\s*,\s*/);
  const upgrade = headers["upgrade"]?.toLowerCase();
  return {
    method,
    target,
    headers,
    framing: framingOf(headers),
    ...(upgrade && connection.includes("upgrade") && { upgrade }),
    keepAlive: minor === "1" && !connection.includes("close"),
  };
}

function parseFields(lines: readonly string[]): Record<string, string | undefined> {
  const headers: Record<string, string | undefined> = Object.create(null);
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).toLowerCase();
    const value = line.slice(colon + 1).replace(/^[ \t]+|[ \t]+$/g, "");
    // A folded line begins with a space and so has no valid name.
    if (colon < 1 || !token.test(name)) throw malformed("header name");
    if (/[\x00-\x08\x0a-\x1f\x7f]/.test(value)) throw malformed("header value");
    const before = headers[name];
    if (before !== undefined && onlyOnce.has(name)) throw malformed(`request: several ${name} headers`);
    headers[name] = before === undefined ? value : `${before}, ${value}`;
  }
  return headers;
}

function framingOf(headers: Readonly<Record<string, string | undefined>>): BodyFraming {
  const length = headers["content-length"];
  const transfer = headers["transfer-encoding"];
  if (transfer !== undefined) {
    if (length !== undefined) throw malformed("request: both Content-Length and Transfer-Encoding");
    if (transfer.toLowerCase() !== "chunked") throw malformed("Transfer-Encoding");
    return { type: "chunked" };
  }
  if (length === undefined) return { type: "none" };
  if (!/^\d{1,15}$/.test(length)) throw malformed("Content-Length");
  return Number(length) === 0 ? { type: "none" } : { type: "length", sizeBytes: Number(length) };
}

function malformed(what: string): EngineError {
  return new EngineError("invalid", `malformed HTTP ${what}`);
}
