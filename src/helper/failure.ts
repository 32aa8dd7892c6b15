import { diskFailure } from "#lib/disk.ts";
import type { ErrorKind } from "#lib/errors.ts";
import { TarError } from "#lib/tar/error.ts";

/** Kind and text under which the daemon throws a helper's failure again. */
export function replyFailure(error: unknown): { readonly kind: ErrorKind; readonly message: string } {
  if (error instanceof TarError) return { kind: "invalid", message: `bad archive: ${error.message}` };
  const { kind, message } = diskFailure(error);
  return { kind, message };
}
