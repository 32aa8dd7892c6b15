import { parseArgs } from "node:util";
import { messageOf } from "#lib/errors.ts";
import { defaultDataRoot } from "#lib/instance.ts";
import { examineHost } from "./doctor.ts";
import { repair } from "./repair.ts";
import { formatReport } from "./report.ts";

/** `gantry doctor`. @returns the exit code: 0 the engine can work here, 1 something is missing, 2 wrong options */
export async function runDoctor(args: readonly string[]): Promise<number> {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...args],
      options: {
        fix: { type: "boolean", default: false },
        format: { type: "string", default: "text" },
        "data-root": { type: "string", default: defaultDataRoot },
      },
    }));
    if (values.format !== "text" && values.format !== "json")
      throw new Error(`invalid format ${JSON.stringify(values.format)}: use text or json`);
  } catch (error) {
    console.error(`doctor: ${messageOf(error)}`);
    return 2;
  }
  const before = await examineHost(values["data-root"]);
  const isRepairable = before.some((check) => check.repair && check.status !== "ok");
  if (values.fix && isRepairable) await repair(before, (line) => console.error(`doctor: ${line}`));
  const checks = values.fix && isRepairable ? await examineHost(values["data-root"]) : before;
  if (values.format === "json")
    console.log(
      JSON.stringify(
        checks.map(({ repair: _repair, ...check }) => check),
        undefined,
        2,
      ),
    );
  else process.stdout.write(formatReport(checks, process.stdout.isTTY && process.env["NO_COLOR"] === undefined));
  return checks.some(({ status }) => status === "missing") ? 1 : 0;
}
