/** A command line that cannot be read. Shown with the command's usage; exit code 125, as Docker's. */
export class UsageError extends Error {}

/** Wrong number of arguments or an unknown command; the message is complete. Exit code 1. */
export class ArgumentError extends Error {}

/** Ends the program with `code`, after the message (if any) was printed on stderr. */
export class ExitError extends Error {
  readonly code: number;
  constructor(code: number, message = "") {
    super(message);
    this.code = code;
  }
}
