import type { Output } from "./output.ts";

const [bold, italic, reset] = ["\u001b[1m", "\u001b[3m", "\u001b[0m"];
/** Under the first word of the note. */
const margin = " ".repeat(9);

/** A remark for a person, as Docker's client sets it: in colours on a terminal, plain elsewhere. */
export async function printNote(to: Output, text: string, isTerminal: boolean): Promise<void> {
  const [first = "", ...rest] = text.split("\n");
  if (!isTerminal) return to.write(`\n Info -> ${first}\n${rest.map((line) => `${margin}${line}\n`).join("")}`);
  const head = `${bold}\u001b[106m\u001b[30mi${reset}${reset} \u001b[96mInfo → ${reset}${reset}`;
  const lines = [`${head}${italic}${first}${reset}`, ...rest.map((line) => `${margin}${italic}${line}${reset}`)];
  // Colours that are ours go as bytes: see Output.
  await to.write(new TextEncoder().encode(`\n${lines.map((line) => `${line}\n`).join("")}`));
}
