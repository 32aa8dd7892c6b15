import { isTerminal as isTty, makeRaw, windowSize } from "./terminal-ffi.ts";

export interface TerminalSize {
  readonly rows: number;
  readonly columns: number;
}

export function isTerminal(descriptor: number): boolean {
  return isTty(descriptor);
}

/** Undefined when the descriptor is no terminal. */
export function terminalSize(descriptor: number): TerminalSize | undefined {
  return windowSize(descriptor);
}

/**
 * Puts the terminal of stdin into raw mode until disposed. The settings are also restored when the program exits on its way, and after a signal
 * that ends it; only SIGKILL leaves the terminal raw.
 */
export function rawTerminal(): Disposable {
  const restore = makeRaw(0);
  if (!restore) return { [Symbol.dispose]: () => {} };
  const end = (signal: NodeJS.Signals): void => {
    restore();
    process.exit(128 + (signal === "SIGHUP" ? 1 : 15));
  };
  process.on("exit", restore);
  process.on("SIGTERM", end);
  process.on("SIGHUP", end);
  return {
    [Symbol.dispose]: () => {
      restore();
      process.off("exit", restore);
      process.off("SIGTERM", end);
      process.off("SIGHUP", end);
    },
  };
}
