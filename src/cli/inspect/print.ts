import { messageOf } from "#lib/errors.ts";
import type { Invocation } from "../command.ts";
import { printFailures } from "../each.ts";
import { ExitError } from "../errors.ts";
import { Template } from "../format/template.ts";
import { TemplateError } from "../format/template-error.ts";
import { goStruct } from "./go-types.ts";
import { indentJson } from "./json-text.ts";

export interface Inspection {
  /** Name of the struct that templates are run on first; none for what has no struct here. */
  readonly kind: string;
  /** As the daemon wrote it. */
  readonly text: string;
  /** Templates see the struct alone, not what else the daemon has written. */
  readonly isStructOnly?: boolean;
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
  const run = flags.format === "" || flags.format === "json" ? undefined : compile(flags.format);
  const failures: string[] = [];
  const elements: string[] = [];
  let printed = "";
  for (const name of names) {
    try {
      const found = await inspect(name);
      if (run) printed += `${run(found)}\n`;
      else elements.push(found.text.trim());
    } catch (error) {
      failures.push(error instanceof TemplateError ? `template parsing error: ${error.message}` : messageOf(error));
    }
  }
  if (!run) printed = flags.format === "json" ? `[${elements.join(",")}]\n` : `${indentJson(`[${elements.join(",")}]`, "    ")}\n`;
  await out.write(printed || "\n");
  return printFailures(invocation, failures);
}

/** A template is run on the struct; what the struct does not know, it may find in the JSON itself. */
function compile(format: string): (found: Inspection) => string {
  try {
    const template = new Template(format);
    const strict = new Template(format, { failOnMissingKey: true });
    return ({ kind, text, isStructOnly }) => {
      const json = JSON.parse(text) as Record<string, unknown>; // an object, by the API
      try {
        return template.run(goStruct(kind, json));
      } catch (error) {
        if (isStructOnly || !(error instanceof TemplateError)) throw error;
        return strict.run(json);
      }
    };
  } catch (error) {
    if (error instanceof TemplateError) throw new ExitError(64, `template parsing error: ${error.message}`);
    throw error;
  }
}
