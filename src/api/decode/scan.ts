import { quoteBytes, quoteCharacterAt } from "./go-text.ts";

/** JSON that is not well formed, or does not fit the shape that is asked for; the message is Go's. */
export class JsonError extends Error {
  override readonly name = "JsonError";
}

/** The text ends within a value. */
export class EndOfJson extends JsonError {}

/** Objects and lists within each other. Source: Go, encoding/json. */
const maximumDepth = 10_000;

const tab = 0x09;
const lineFeed = 0x0a;
const carriageReturn = 0x0d;
const space = 0x20;
const quotationMark = 0x22;
const comma = 0x2c;
const minus = 0x2d;
const zero = 0x30;
const nine = 0x39;
const colon = 0x3a;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

const literals: ReadonlyMap<number, string> = new Map([
  [0x74, "true"],
  [0x66, "false"],
  [0x6e, "null"],
]);

// Scanning never yields, so all scans can share the stack: 1 for an object, 0 for a list.
const nesting = new Uint8Array(maximumDepth + 1);

/** The first place at or after `at` that is no white space. */
export function skipSpace(bytes: Uint8Array, at: number): number {
  for (;;) {
    const byte = bytes[at];
    if (byte !== space && byte !== lineFeed && byte !== carriageReturn && byte !== tab) return at;
    at++;
  }
}

/**
 * Checks the one value that begins at `at` (white space before it is skipped), without recursion: its depth costs no stack.
 * @returns the place after it
 * @throws {JsonError} with the text of Go 1.27's encoding/json
 */
export function scanValue(bytes: Uint8Array, at: number): number {
  let depth = 0;
  let next = beginValue(bytes, skipSpace(bytes, at));
  for (;;) {
    const opened = openedBy(bytes, next);
    if (opened === undefined) {
      next = scanScalar(bytes, next);
    } else {
      if (++depth > maximumDepth) throw new JsonError("exceeded max depth");
      nesting[depth] = opened;
      next = skipSpace(bytes, next + 1);
      if (bytes[next] !== (opened ? closeBrace : closeBracket)) {
        next = opened ? scanKey(bytes, next) : beginValue(bytes, next);
        continue;
      }
      depth--;
      next++;
    }
    // After a value: close what it ends, up to the next element or the end of all.
    for (;;) {
      if (depth === 0) return next;
      const isObject = nesting[depth] === 1;
      next = skipSpace(bytes, next);
      const byte = bytes[next];
      if (byte === comma) {
        next = skipSpace(bytes, next + 1);
        next = isObject ? scanKey(bytes, next) : beginValue(bytes, next);
        break;
      }
      if (byte !== (isObject ? closeBrace : closeBracket)) {
        throw unexpected(bytes, next, isObject ? "after object key:value pair" : "after array element");
      }
      depth--;
      next++;
    }
  }
}

function openedBy(bytes: Uint8Array, at: number): 0 | 1 | undefined {
  const byte = bytes[at];
  return byte === openBrace ? 1 : byte === openBracket ? 0 : undefined;
}

function beginValue(bytes: Uint8Array, at: number): number {
  const byte = bytes[at];
  const begins =
    byte === quotationMark || byte === openBrace || byte === openBracket || byte === minus || isDigit(byte) || literals.has(byte ?? 0);
  if (!begins) throw unexpected(bytes, at, "looking for beginning of value");
  return at;
}

/** A key, its colon, and the place where the value begins. */
function scanKey(bytes: Uint8Array, at: number): number {
  if (bytes[at] !== quotationMark) throw unexpected(bytes, at, "looking for beginning of object key string");
  const after = skipSpace(bytes, scanString(bytes, at));
  if (bytes[after] !== colon) throw unexpected(bytes, after, "after object key");
  return beginValue(bytes, skipSpace(bytes, after + 1));
}

function scanScalar(bytes: Uint8Array, at: number): number {
  const byte = bytes[at] ?? 0;
  if (byte === quotationMark) return scanString(bytes, at);
  const literal = literals.get(byte);
  return literal === undefined ? scanNumber(bytes, at) : scanLiteral(bytes, at, literal);
}

function scanLiteral(bytes: Uint8Array, at: number, literal: string): number {
  for (let index = 1; index < literal.length; index++) {
    if (bytes[at + index] === literal.charCodeAt(index)) continue;
    throw unexpected(bytes, at + index, `in literal ${literal} (expecting '${literal[index]}')`);
  }
  return at + literal.length;
}

function scanNumber(bytes: Uint8Array, at: number): number {
  let next = bytes[at] === minus ? at + 1 : at;
  next = bytes[next] === zero ? next + 1 : scanDigits(bytes, next);
  if (bytes[next] === 0x2e) next = scanDigits(bytes, next + 1);
  if (bytes[next] === 0x65 || bytes[next] === 0x45) {
    next++;
    if (bytes[next] === 0x2b || bytes[next] === minus) next++;
    next = scanDigits(bytes, next);
  }
  return next;
}

function scanDigits(bytes: Uint8Array, at: number): number {
  if (!isDigit(bytes[at])) throw unexpected(bytes, at, "in numeric literal");
  while (isDigit(bytes[at])) at++;
  return at;
}

const isDigit = (byte: number | undefined): boolean => byte !== undefined && byte >= zero && byte <= nine;

/** From the opening quotation mark to the place after the closing one. Bytes that are no UTF-8 pass, as in Go. */
export function scanString(bytes: Uint8Array, at: number): number {
  for (let next = at + 1; ;) {
    const byte = bytes[next];
    if (byte === undefined || byte < space) throw unexpected(bytes, next, "in string");
    if (byte === quotationMark) return next + 1;
    next += byte === backslash ? escapeLength(bytes, next) : 1;
  }
}

const shortEscapes = new Set(Buffer.from('"\\/bfnrt'));

function escapeLength(bytes: Uint8Array, at: number): number {
  const kind = bytes[at + 1];
  if (kind === undefined) throw new EndOfJson("unexpected EOF");
  if (shortEscapes.has(kind)) return 2;
  if (kind !== 0x75) throw badEscape(bytes.subarray(at, at + 2));
  for (let index = 2; index < 6; index++) {
    const digit = bytes[at + index];
    if (digit === undefined) throw new EndOfJson("unexpected EOF");
    if (!/[0-9a-fA-F]/.test(String.fromCharCode(digit))) throw badEscape(bytes.subarray(at, at + 6));
  }
  return 6;
}

function badEscape(sequence: Uint8Array): JsonError {
  const text = Buffer.from(sequence).toString("utf8");
  const isPlain = !/[`\s\uFFFD\p{C}]/u.test(text);
  return new JsonError(`invalid escape sequence ${isPlain ? `\`${text}\`` : quoteBytes(sequence)} in string`);
}

function unexpected(bytes: Uint8Array, at: number, where: string): JsonError {
  if (at >= bytes.length) return new EndOfJson("unexpected EOF");
  return new JsonError(`invalid character ${quoteCharacterAt(bytes, at)} ${where}`);
}
