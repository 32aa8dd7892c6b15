import { messageOf } from "#lib/errors.ts";

/** What a call on a file has said, in the words of Docker's messages: `stat /place/one: not a directory`. */
export function fileErrorText(error: unknown): string {
  const message = messageOf(error);
  const [, reason, call, path] = /^E[A-Z0-9]+: ([^,]+), (\w+) '([^']*)'/.exec(message) ?? [];
  return reason === undefined ? message : `${call} ${path}: ${reason}`;
}
