import { ExitError } from "../errors.ts";
import { Template } from "../format/template.ts";
import { TemplateError } from "../format/template-error.ts";
import { type Row, toJson } from "../format/values.ts";
import type { Output } from "../output.ts";

/** Prints one object by `--format`: `json` or a template. @param goType  Go's name of the object's type, for errors */
export async function printObject(
  value: Readonly<Record<string, unknown>> | Row,
  format: string,
  options: { readonly name: string; readonly goType: string },
  out: Output,
): Promise<void> {
  if (format === "json") return out.line(toJson(value, { escapeHtml: true }));
  try {
    const text = new Template(format, { name: options.name, failOnMissingKey: true }).run(value);
    await out.line(text);
  } catch (error) {
    if (!(error instanceof TemplateError)) throw error;
    const message = error.message.replace(/map has no entry for key "([^"]*)"$/, `can't evaluate field $1 in type ${options.goType}`);
    if (/executing/.test(message)) await out.line(""); // Docker ends the line it had begun
    throw new ExitError(
      message.includes("executing") ? 1 : 64,
      message.includes("executing") ? message : `template parsing error: ${message}`,
    );
  }
}
