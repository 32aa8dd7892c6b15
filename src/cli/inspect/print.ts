import { messageOf } from "#lib/errors.ts";
import type { Invocation } from "../command.ts";
import { printFailures } from "../each.ts";
import { ExitError } from "../errors.ts";
import { Template } from "../format/template.ts";
import { TemplateError } from "../format/template-error.ts";
import { withGoFields } from "./fields.ts";
import { indentJson } from "./json-text.ts";

export interface Inspection {
  /** Decides which absent fields a template may ask for. */
  readonly kind: string;
  /** As the daemon wrote it. */
  readonly text: string;
}

/**
 * Prints inspections: as one indented JSON array, or each by a template. What is not found is told on stderr after the rest, and the exit code
 * is 1.
 */
export async function printInspections(
  invocation: Omit<Invocation, "flags"> & { readonly flags: { readonly format: string } },
  names: readonly string[],
  inspect: (name: string) => Promise<Inspection>,
): Promise<number> {
  const { flags, out } = invocation;
  const template = flags.format === "" || flags.format === "json" ? undefined : compile(flags.format);
  const failures: string[] = [];
  const elements: string[] = [];
  let printed = "";
  for (const name of names) {
    try {
      const found = await inspect(name);
      if (template) printed += `${template.run(withGoFields(found.kind, JSON.parse(found.text) as Record<string, unknown>))}\n`;
      else elements.push(found.text.trim());
    } catch (error) {
      failures.push(error instanceof TemplateError ? `template parsing error: ${error.message}` : messageOf(error));
    }
  }
  if (!template) printed = flags.format === "json" ? `[${elements.join(",")}]\n` : `${indentJson(`[${elements.join(",")}]`, "    ")}\n`;
  await out.write(printed || "\n");
  return printFailures(invocation, failures);
}

function compile(format: string): Template {
  try {
    return new Template(format, { failOnMissingKey: true });
  } catch (error) {
    if (error instanceof TemplateError) throw new ExitError(64, `template parsing error: ${error.message}`);
    throw error;
  }
}
