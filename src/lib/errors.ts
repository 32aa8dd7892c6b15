/** The failure classes of the Engine API. `api/status.ts` alone turns a kind into an HTTP status. */
export type ErrorKind =
  | "invalid"
  | "unauthorized"
  | "forbidden"
  | "not_found"
  | "conflict"
  | "not_modified"
  | "not_acceptable"
  | "range"
  | "too_large"
  | "too_many"
  | "misdirected"
  | "not_implemented"
  | "unavailable"
  | "internal";

/** A failure that a user can read. The message is what Docker's clients expect; `cause` keeps the original. */
export class EngineError extends Error {
  override readonly name = "EngineError";
  readonly kind: ErrorKind;
  constructor(kind: ErrorKind, message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.kind = kind;
  }
}

/** True for an `EngineError` of one of the kinds. */
export function isKind(error: unknown, ...kinds: ErrorKind[]): error is EngineError {
  return error instanceof EngineError && kinds.includes(error.kind);
}

/** The text of anything thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A broken invariant: a fault of this program, never of its input. */
export function assert(condition: unknown, what: string): asserts condition {
  if (!condition) throw new Error(`assertion failed: ${what}`);
}
