/** Fields of a log line: data, never prose. */
export type LogFields = Readonly<Record<string, unknown>>;

/** The daemon's own log. Passwords, tokens and environment values never go into it. */
export interface Logger {
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
}

/** Drops everything; for tests and short-lived helpers. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
