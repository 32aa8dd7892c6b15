import { EngineError, messageOf, type ErrorKind } from "#lib/errors.ts";
import { TarError } from "#lib/tar/error.ts";

/** Kind and text under which the daemon throws a helper's failure again. */
export function replyFailure(error: unknown): { readonly kind: ErrorKind; readonly message: string } {
  if (error instanceof EngineError) return { kind: error.kind, message: error.message };
  if (error instanceof TarError) return { kind: "invalid", message: `bad archive: ${error.message}` };
  const { code } = error as NodeJS.ErrnoException;
  if (code === "ENOSPC" || code === "EDQUOT") return { kind: "unavailable", message: "no space left on device" };
  return { kind: "internal", message: messageOf(error) };
}
