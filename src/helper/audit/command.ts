import { parseArgs } from "node:util";
import { messageOf } from "#lib/errors.ts";
import { defaultDataRoot } from "#lib/instance.ts";
import { auditInstance } from "./audit.ts";
import { formatDifference } from "./difference.ts";

/**
 * `gantry system audit`. One line for each difference, or a list in JSON.
 * @returns the exit code: 0 none, 1 differences, 2 it could not look
 */
export async function runAudit(args: readonly string[]): Promise<number> {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        "data-root": { type: "string", default: defaultDataRoot },
        "exec-root": { type: "string" },
        format: { type: "string", default: "text" },
        deep: { type: "boolean", default: false },
      },
    });
    if (values.format !== "text" && values.format !== "json")
      throw new Error(`invalid format ${JSON.stringify(values.format)}: use text or json`);
    const execRoot = values["exec-root"];
    const differences = await auditInstance({
      dataRoot: values["data-root"],
      ...(execRoot !== undefined && { execRoot }),
      deep: values.deep,
      tell: process.stderr.isTTY ? (path) => void process.stderr.write(`\r\u001b[Khashing ${path}`) : () => {},
    });
    if (values.deep && process.stderr.isTTY) process.stderr.write("\r\u001b[K");
    if (values.format === "json") console.log(JSON.stringify(differences, undefined, 2));
    else for (const difference of differences) console.log(formatDifference(difference));
    if (values.format === "text" && differences.length === 0 && process.stdout.isTTY) console.log("no differences");
    return differences.length > 0 ? 1 : 0;
  } catch (error) {
    console.error(`audit: ${messageOf(error)}`);
    return 2;
  }
}
