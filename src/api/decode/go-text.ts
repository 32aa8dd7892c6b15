const named: Readonly<Record<string, string>> = {
  "\x07": "\\a",
  "\b": "\\b",
  "\f": "\\f",
  "\n": "\\n",
  "\r": "\\r",
  "\t": "\\t",
  "\v": "\\v",
  "\\": "\\\\",
};

/** A string in double quotes, as Go's `%q` and `strconv.Quote` print it. */
export function quote(text: string): string {
  let quoted = "";
  for (const character of text) quoted += character === '"' ? '\\"' : escape(character);
  return `"${quoted}"`;
}

/** The UTF-8 character that begins at `at`, in single quotes; a byte that begins none as `\xff`. Source: Go's `strconv.QuoteRune`. */
export function quoteCharacterAt(bytes: Uint8Array, at: number): string {
  const character = characterAt(bytes, at);
  if (character === undefined) return `'${hex(bytes[at] ?? 0)}'`;
  return character === "'" ? "'\\''" : `'${escape(character)}'`;
}

/** Bytes in double quotes; those that are no UTF-8 as `\xff`. */
export function quoteBytes(bytes: Uint8Array): string {
  let quoted = "";
  for (let at = 0; at < bytes.length;) {
    const character = characterAt(bytes, at);
    quoted += character === undefined ? hex(bytes[at] ?? 0) : character === '"' ? '\\"' : escape(character);
    at += character === undefined ? 1 : Buffer.byteLength(character);
  }
  return `"${quoted}"`;
}

function characterAt(bytes: Uint8Array, at: number): string | undefined {
  for (let length = 1; length <= 4 && at + length <= bytes.length; length++) {
    const text = strict(bytes.subarray(at, at + length));
    if (text !== undefined) return text;
  }
  return undefined;
}

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

function strict(bytes: Uint8Array): string | undefined {
  try {
    return decoder.decode(bytes);
  } catch {
    return undefined; // not (yet) a whole character
  }
}

function escape(character: string): string {
  const short = named[character];
  if (short !== undefined) return short;
  // Go prints letters, marks, numbers, punctuation, symbols and the ASCII space as they are.
  if (character === " " || /[\p{L}\p{M}\p{N}\p{P}\p{S}]/u.test(character)) return character;
  const code = character.codePointAt(0) ?? 0;
  if (code < 0x80) return hex(code);
  return code <= 0xffff ? `\\u${code.toString(16).padStart(4, "0")}` : `\\U${code.toString(16).padStart(8, "0")}`;
}

const hex = (byte: number): string => `\\x${byte.toString(16).padStart(2, "0")}`;
