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
  if (message.progressDetail?.current || message.status === undefined) return;
  await to.line(message.id ? `${message.id}: ${message.status}` : message.status);
}

interface Screen {
  readonly to: Output;
  /** Line of each id, counted from the first. */
  readonly lines: Map<string, number>;
  readonly columns: number;
}

async function printOnTerminal(message: ProgressMessage, { to, lines, columns }: Screen): Promise<void> {
  if (message.stream !== undefined) return to.write(withoutControls(message.stream));
  if (message.status === undefined) return;
  const id = message.id ? withoutControls(message.id) : "";
  const text = `${id ? `${id}: ` : ""}${withoutControls(message.status)}${bar(message, columns)}`;
  if (!id) {
    lines.clear(); // what follows is below this line
    return to.line(text);
  }
  const line = lines.get(id);
  if (line === undefined) {
    if (lines.size < maximumLines) lines.set(id, lines.size);
    return to.write(`\u001b[2K${text}\n`);
  }
  const up = lines.size - line;
  await to.write(`\u001b[${up}A\u001b[2K\r${text}\u001b[${up}B\r`);
}

/** ` [====>    ]  1.2MB/3.4MB`: half as wide on a narrow terminal. */
function bar(message: ProgressMessage, columns: number): string {
  const { current = 0, total = 0, units, hidecounts } = message.progressDetail ?? {};
  if (current <= 0 && total <= 0) return "";
  const counted = units ? (value: number): string => `${value} ${units}` : (value: number): string => humanSize(value, 4);
  if (total <= 0) return ` ${counted(current).padStart(8)}`;
  const half = Math.min(50, Math.trunc(Math.min(current / total, 1) * 50));
  const width = columns > 110 ? 50 : 0;
  const drawn = width > 0 ? `[${"=".repeat(half)}>${" ".repeat(Math.max(0, width - half))}] ` : "";
  if (hidecounts) return ` ${drawn.trimEnd()}`;
  return ` ${drawn}${counted(current).padStart(8)}${current > total ? "" : `/${counted(total)}`}`;
}
