import { listHostProcesses } from "#drivers/runtime/ps.ts";
import { EngineError } from "#lib/errors.ts";

export interface ProcessTable {
  readonly titles: readonly string[];
  readonly processes: readonly (readonly string[])[];
}

/**
 * Runs the host's `ps` with the caller's arguments and keeps the rows of the container's processes.
 * @throws {EngineError} `invalid` when ps refuses the arguments or shows no pid
 */
export async function topProcesses(pids: readonly number[], psArguments: string): Promise<ProcessTable> {
  const words = psArguments.trim() === "" ? ["-ef"] : psArguments.trim().split(/\s+/);
  const text = await listHostProcesses(words, pids);
  return selectRows(text, new Set(pids));
}

export function selectRows(text: string, pids: ReadonlySet<number>): ProcessTable {
  const [head = "", ...rows] = text.split("\n").filter((line) => line.trim() !== "");
  const titles = head.trim().split(/\s+/);
  const pidColumn = titles.indexOf("PID");
  if (pidColumn < 0) throw new EngineError("invalid", "Couldn't find PID field in ps output");
  const processes = rows.map((row) => splitRow(row, titles.length)).filter((fields) => pids.has(Number(fields[pidColumn])));
  return { titles, processes };
}

/** The last column is the command, which has spaces of its own. */
function splitRow(row: string, columns: number): string[] {
  const fields = row.trim().split(/\s+/);
  if (fields.length <= columns) return fields;
  return [...fields.slice(0, columns - 1), fields.slice(columns - 1).join(" ")];
}
