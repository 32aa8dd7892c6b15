import { ExitError } from "../errors.ts";
import type { Output } from "../output.ts";
import { headerFunctions } from "./functions.ts";
import { layOut } from "./table.ts";
import { Template } from "./template.ts";
import { TemplateError } from "./template-error.ts";
import { Row, toJson } from "./values.ts";

export interface RowsOptions {
  /** `table`, `table TEMPLATE`, `json` or a template. */
  readonly format: string;
  /** The template that `table` alone stands for. */
  readonly defaultTable: string;
  /** Field → title of its column. */
  readonly headers: Readonly<Record<string, string>>;
  /** What `raw` stands for; nothing in commands that do not know the word. */
  readonly raw?: string;
  /** The IDs alone: what `table` and `raw` stand for then. */
  readonly quiet?: { readonly table: string; readonly raw: string } | undefined;
  /** False where `table` is no word of its own. */
  readonly hasTables?: boolean;
}

/** Prints rows in the way asked for by `--format`. @throws {ExitError} with Docker's words for a bad template */
export async function printRows(rows: readonly Row[], options: RowsOptions, out: Output): Promise<void> {
  const text = renderRows(rows, options);
  if (text !== "") await out.write(text);
}

export function renderRows(rows: readonly Row[], options: RowsOptions): string {
  const format = namedFormat(options);
  const isTable = (options.hasTables ?? true) && (format === "table" || format.startsWith("table "));
  const template = unescapeFormat(isTable ? format.slice("table ".length) || options.defaultTable : format);
  if (format === "json") return rows.map((row) => `${toJson(row, { escapeHtml: true })}\n`).join("");
  const body = compile(template, undefined);
  const lines = rows.map((row) => execute(body, row));
  if (!isTable) return lines.map((line) => `${line}\n`).join("");
  const header = headerOf(compile(template, headerFunctions), options.headers);
  return layOut([header, ...lines.flatMap((line) => line.split("\n"))]);
}

function namedFormat({ format, raw, quiet }: RowsOptions): string {
  if (format === "table") return quiet?.table ?? format;
  return format === "raw" && raw !== undefined ? (quiet?.raw ?? raw) : format;
}

/** What cannot be said of titles ends their line: the rows below are printed all the same. */
function headerOf(template: Template, headers: RowsOptions["headers"]): string {
  try {
    return template.run(headerRow(headers));
  } catch (error) {
    if (error instanceof TemplateError) return error.printed;
    throw error;
  }
}

/** The titles as a row, so that a template finds them under the names of the fields; `.Label "a.b-c"` is titled `b c`. */
function headerRow(headers: Readonly<Record<string, string>>): Row {
  const fields = Object.fromEntries(Object.entries(headers).map(([name, title]) => [name, () => title]));
  const label = (name: unknown): string => (String(name).split(".").at(-1) ?? "").replace(/[-_]/g, " ");
  return new Row("formatter.SubHeaderContext", fields, { methods: { Label: label } });
}

/** In formats `\t` and `\n` may be written as they are spoken. */
function unescapeFormat(format: string): string {
  return format
    .replace(/^ +| +$/g, "")
    .replaceAll("\\t", "\t")
    .replaceAll("\\n", "\n");
}

function compile(template: string, functions: typeof headerFunctions | undefined): Template {
  try {
    return new Template(template, functions ? { functions } : {});
  } catch (error) {
    if (error instanceof TemplateError) throw new ExitError(1, `failed to parse template: ${error.message}`);
    throw error;
  }
}

function execute(template: Template, value: unknown): string {
  try {
    return template.run(value);
  } catch (error) {
    if (error instanceof TemplateError) throw new ExitError(1, `failed to execute template: ${error.message}`);
    throw error;
  }
}

/** Cuts text to `width` columns, the last of them an ellipsis. */
export function ellipsis(text: string, width: number): string {
  const letters = Array.from(text);
  return letters.length <= width ? text : `${letters.slice(0, width - 1).join("")}…`;
}
