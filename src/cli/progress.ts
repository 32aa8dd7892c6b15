import type { ProgressMessage } from "#client/shapes.ts";
import { type Output, withoutControls } from "./output.ts";
import { humanSize } from "./units.ts";

export interface ProgressOptions {
  readonly to: Output;
  readonly isQuiet: boolean;
  readonly isTerminal: () => Promise<boolean>;
}

/** Lines that a hostile daemon could make us remember. */
const maximumLines = 4096;

/**
 * Shows the progress of a pull, push or load: on a terminal one line for each layer, rewritten in place; else one line for each step.
 * @throws {Error} the error in the stream, which comes after the daemon has answered 200
 */
export async function printProgress(messages: AsyncIterable<ProgressMessage>, options: ProgressOptions): Promise<void> {
  const isTerminal = !options.isQuiet && (await options.isTerminal());
  const columns = isTerminal ? ((await import("./terminal.ts")).terminalSize(1)?.columns ?? 80) : 80;
  const lines = new Map<string, number>();
  for await (const message of messages) {
    const problem = message.errorDetail?.message ?? message.error;
    if (problem !== undefined) throw new Error(problem);
    if (options.isQuiet) continue;
    if (!isTerminal) await printPlain(message, options.to);
    else await printOnTerminal(message, { to: options.to, lines, columns });
  }
}

/** The moving bars are left out where nothing can move. */
async function printPlain(message: ProgressMessage, to: Output): Promise<void> {
  if (message.stream !== undefined) return to.write(message.stream);
  if (message.status === undefined || bar(message, 200) !== "") return;
  await to.line(message.id ? `${message.id}: ${message.status}` : message.status);
}

interface Screen {
  readonly to: Output;
  /** Line of each id, counted from the first. */
  readonly lines: Map<string, number>;
  readonly columns: number;
}

async function printOnTerminal(message: ProgressMessage, { to, lines, columns }: Screen): Promise<void> {
  if (message.stream !== undefined) {
    lines.clear(); // what follows is below this text
    return to.write(message.stream);
  }
  if (message.status === undefined) return;
  const id = message.id ? withoutControls(message.id) : "";
  const text = `${id ? `${id}: ` : ""}${withoutControls(message.status)}`;
  if (!id || !message.progressDetail) {
    lines.clear();
    return to.line(text);
  }
  let start = "";
  let line = lines.get(id);
  if (line === undefined) {
    line = lines.size;
    if (lines.size < maximumLines) lines.set(id, line);
    start = "\n";
  }
  const up = Math.max(1, lines.size - line);
  // Movements of the cursor that are ours go as bytes: see Output.
  await to.write(new TextEncoder().encode(`${start}\u001b[${up}A\u001b[2K\r${text} ${bar(message, columns)}\r\u001b[${up}B`));
}

/** `[====>    ]  1.2MB/3.4MB`; no bar on a narrow terminal. */
function bar({ progressDetail }: ProgressMessage, columns: number): string {
  const { current = 0, total = 0, units = "", hidecounts } = progressDetail ?? {};
  if (current <= 0 && total <= 0) return "";
  const size = (value: number): string => humanSize(value, 4);
  if (total <= 0) return units ? `${current} ${units}` : size(current).padStart(8);
  const half = Math.min(50, Math.trunc(Math.trunc((current / total) * 100) / 2));
  const drawn = columns > 110 ? `[${"=".repeat(half)}>${" ".repeat(50 - half)}] ` : "";
  if (hidecounts) return drawn;
  const counted = units ? `${current}` : size(current).padStart(8);
  const ofTotal = current > total ? "" : `/${units ? total : size(total)}`;
  return `${drawn}${counted}${ofTotal}${units ? ` ${units}` : ""}`;
}
