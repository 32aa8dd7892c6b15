import pino from "pino";
import type { Logger } from "#lib/log.ts";

export type LogLevel = "debug" | "info" | "warn" | "error" | "fatal";

/** The daemon's own log as JSON lines on stderr. Errors are written with their stack, only where somebody passes one. */
export function openLogger(level: LogLevel): Logger & { setLevel(level: LogLevel): void } {
  const log = pino(
    { level, base: null, timestamp: pino.stdTimeFunctions.isoTime, formatters: { level: (label) => ({ level: label }) } },
    { write: (line: string) => void process.stderr.write(line) },
  );
  return {
    debug: (message, fields) => log.debug(fields ?? {}, message),
    info: (message, fields) => log.info(fields ?? {}, message),
    warn: (message, fields) => log.warn(fields ?? {}, message),
    error: (message, fields) => log.error(fields ?? {}, message),
    setLevel: (next) => {
      log.level = next;
    },
  };
}
