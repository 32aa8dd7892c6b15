/**
 * JSON text with every value on a line of its own, as Go's json.Indent writes it. Works on the text: numbers keep their digits, and keys their
 * order, which parsing would change for keys that look like numbers.
 */
export function indentJson(text: string, indent: string, prefix = ""): string {
  let depth = 0;
  let result = "";
  let isEmpty = false;
  const line = (): string => `\n${prefix}${indent.repeat(depth)}`;
  for (const [token] of text.matchAll(/"(?:[^"\\]|\\.)*"|[[\]{},:]|[^\s[\]{},:"]+/g)) {
    const closes = token === "}" || token === "]";
    if (isEmpty && !closes) result += line();
    if (closes) {
      depth--;
      result += (isEmpty ? "" : line()) + token;
    } else if (token === ":") result += ": ";
    else if (token === ",") result += `,${line()}`;
    else result += token;
    isEmpty = token === "{" || token === "[";
    if (isEmpty) depth++;
  }
  return result;
}
