import { until } from "./until.ts";

export interface TerminalSession {
  readonly text: () => string;
  type(text: string): void;
  resize(size: { readonly columns: number; readonly rows: number }): void;
  /** Waits for a text on the screen, or a condition. */
  until(what: string | (() => boolean | Promise<boolean>)): Promise<void>;
  exit(): Promise<number>;
}

/** Runs a program on a terminal of its own, as a person would. */
export function runInTerminal(
  command: readonly string[],
  size: { readonly columns: number; readonly rows: number },
): Promise<TerminalSession> {
  let text = "";
  const decoder = new TextDecoder();
  const child = Bun.spawn([...command], {
    env: { PATH: process.env["PATH"] ?? "", HOME: "/nonexistent", TERM: "xterm" },
    terminal: {
      cols: size.columns,
      rows: size.rows,
      data: (_terminal: unknown, chunk: Uint8Array) => void (text += decoder.decode(chunk, { stream: true })),
    },
  });
  const { terminal } = child;
  if (!terminal) throw new Error("no terminal");
  return Promise.resolve({
    text: () => text,
    type: (input) => void terminal.write(input),
    resize: ({ columns, rows }) => terminal.resize(columns, rows),
    until: (what) => until(typeof what === "string" ? () => text.includes(what) : what),
    exit: () => child.exited,
  });
}
