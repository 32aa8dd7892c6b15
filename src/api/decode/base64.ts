/**
 * Where standard base64 with padding goes wrong, as the offset that Go's encoding/base64 reports; undefined when it is right. Line breaks
 * may be anywhere.
 */
export function base64Fault(text: string): number | undefined {
  let at = 0;
  for (let sextet = 0; ; sextet = (sextet + 1) % 4) {
    at = skipBreaks(text, at);
    if (at === text.length) return sextet === 0 ? undefined : at - sextet;
    if (text[at] === "=") return sextet < 2 ? at : paddingFault(text, at, sextet);
    if (!/[A-Za-z0-9+/]/.test(text[at] ?? "")) return at;
    at++;
  }
}

function paddingFault(text: string, at: number, sextet: number): number | undefined {
  let next = skipBreaks(text, at + 1);
  if (sextet === 2) {
    if (next === text.length) return next;
    if (text[next] !== "=") return next - 1;
    next = skipBreaks(text, next + 1);
  }
  return next < text.length ? next : undefined;
}

function skipBreaks(text: string, at: number): number {
  while (text[at] === "\n" || text[at] === "\r") at++;
  return at;
}
