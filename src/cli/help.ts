import type { Description, Group, Leaf } from "./command.ts";
import { type FlagSet, flagName } from "./flags.ts";
import { usageLine } from "./usage-line.ts";

/** Help of one command. @param paths  every way to call it, the group's first */
export function commandHelp(
  options: { readonly path: string; readonly summary: string; readonly paths: readonly string[]; readonly columns: number },
  command: Description,
): string {
  const { path, summary, paths, columns } = options;
  const sections = [`Usage:  ${usageLine(path, command.usage)}`, summary];
  if (paths.length > 1) sections.push(`Aliases:\n  ${paths.join(", ")}`);
  const flags = flagTable(command.flags, columns);
  if (flags !== "") sections.push(`Options:\n${flags}`);
  const program = path.split(" ", 1)[0] ?? "";
  if (command.examples) sections.push(`Examples:\n${command.examples.map((example) => `  ${program} ${example}`).join("\n")}`);
  return `${sections.join("\n\n")}\n`;
}

export function groupHelp(path: string, group: Group): string {
  const sections = [
    `Usage:  ${path} COMMAND`,
    group.summary,
    `Commands:\n${commandTable(group.children)}`,
    `Run '${path} COMMAND --help' for more information on a command.`,
  ];
  return `${sections.join("\n\n")}\n`;
}

export interface RootSections {
  readonly common: readonly Leaf[];
  readonly groups: readonly Group[];
  readonly others: readonly Leaf[];
}

export function rootHelp(program: string, sections: RootSections, globalFlags: FlagSet, columns: number): string {
  const parts = [
    `Usage:  ${program} [OPTIONS] COMMAND`,
    "Run containers, and keep the images, networks and volumes they need",
    `Common Commands:\n${commandTable(sections.common)}`,
    `Management Commands:\n${commandTable(sections.groups)}`,
    `Commands:\n${commandTable(sections.others)}`,
    `Global Options:\n${flagTable(globalFlags, columns)}`,
    `Run '${program} COMMAND --help' for more information on a command.`,
  ];
  return `${parts.join("\n\n")}\n`;
}

function commandTable(commands: readonly { readonly name: string; readonly summary: string; readonly isHidden?: boolean }[]): string {
  const shown = commands.filter((one) => !one.isHidden);
  const width = Math.max(11, ...shown.map((one) => one.name.length));
  return shown.map((one) => `  ${one.name.padEnd(width)} ${one.summary}`).join("\n");
}

/** The flags as pflag lays them out: names, kind, usage wrapped at `columns`. Empty when there are none to show. */
export function flagTable(flags: FlagSet, columns: number): string {
  const rows = Object.entries(flags)
    .filter(([, flag]) => !flag.hidden)
    .map(([key, flag]) => {
      const head = `${flag.short ? `  -${flag.short}, ` : "      "}--${flagName(key)}${flag.kind ? ` ${flag.kind}` : ""}`;
      return { name: flagName(key), head, usage: flag.usage + (flag.defaultText === undefined ? "" : ` (default ${flag.defaultText})`) };
    })
    .toSorted((one, other) => (one.name < other.name ? -1 : 1));
  const widest = Math.max(0, ...rows.map((row) => row.head.length));
  return rows.map((row) => `${row.head.padEnd(widest)}   ${wrap(row.usage, widest + 3, columns)}`).join("\n");
}

/** pflag leaves five columns free at the right, and lets a last short word run into them. */
const slop = 5;

/** Source: github.com/spf13/pflag, FlagUsagesWrapped. */
function wrap(text: string, indent: number, columns: number): string {
  const isNarrow = columns - indent < 24; // then the text goes below the name
  const left = isNarrow ? 16 : indent;
  const margin = `\n${" ".repeat(left)}`;
  const prefix = isNarrow ? margin : "";
  if (columns - left < 24) return prefix + text.replaceAll("\n", margin);
  const lines: string[] = [];
  let rest = text;
  do {
    const [line, after] = breakLine(rest, columns - left - slop);
    lines.push(line.replaceAll("\n", margin));
    rest = after;
  } while (rest !== "");
  return prefix + lines.join(margin);
}

function breakLine(text: string, width: number): [line: string, rest: string] {
  if (width + slop > text.length) return [text, ""];
  const window = text.slice(0, width);
  const newline = window.lastIndexOf("\n");
  const space = Math.max(window.lastIndexOf(" "), window.lastIndexOf("\t"), newline);
  if (space <= 0) return [text, ""];
  const end = newline > 0 && newline < space ? newline : space;
  return [text.slice(0, end), text.slice(end + 1)];
}
