import { ExitError } from "../errors.ts";
import { type Output, withoutControls } from "../output.ts";
import { headerFunctions } from "./functions.ts";
import { layOut } from "./table.ts";
import { Template } from "./template.ts";
import { TemplateError } from "./template-error.ts";
import { display, type Row, toJson } from "./values.ts";

export interface RowsOptions {
  /** `table`, `table TEMPLATE`, `json` or a template. */
  readonly format: string;
  /** The template that `table` alone stands for. */
  readonly defaultTable: string;
  /** Field → title of its column. */
  readonly headers: Readonly<Record<string, string>>;
  /** Names in rows are chosen by others: on a terminal they may not steer it. */
  readonly isTerminal: boolean;
}

/** Prints rows in the way asked for by `--format`. @throws {ExitError} with Docker's words for a bad template */
export async function printRows(rows: readonly Row[], options: RowsOptions, out: Output): Promise<void> {
  const text = renderRows(rows, options);
  if (text !== "") await out.write(text);
}

export function renderRows(rows: readonly Row[], options: RowsOptions): string {
  const { format } = options;
  const isTable = format === "table" || format.startsWith("table ");
  const template = unescapeFormat(isTable ? format.slice("table ".length) || options.defaultTable : format);
  if (format === "json") return rows.map((row) => `${toJson(row, { escapeHtml: true })}\n`).join("");
  const clean = (text: string): string => (options.isTerminal ? withoutControls(text) : text);
  const body = compile(template, undefined);
  const lines = rows.map((row) => clean(execute(body, row)));
  if (!isTable) return lines.map((line) => `${line}\n`).join("");
  return layOut([execute(compile(template, headerFunctions), options.headers), ...lines.flatMap((line) => line.split("\n"))]);
}

/** In formats `\t` and `\n` may be written as they are spoken. */
function unescapeFormat(format: string): string {
  return format.trim().replaceAll("\\t", "\t").replaceAll("\\n", "\n");
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

/** A value of a row as text. */
export const cell = display;

/** Cuts text to `width` columns, the last of them an ellipsis. */
export function ellipsis(text: string, width: number): string {
  const letters = [...text];
  return letters.length <= width ? text : `${letters.slice(0, width - 1).join("")}…`;
}
