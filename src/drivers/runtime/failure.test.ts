import { expect, test } from "bun:test";
import { startFailureExitCodes, toStartError } from "./failure.ts";

test.each([
  ["executable file `x` not found in $PATH", "x", 127, 'exec: "x": executable file not found in $PATH'],
  ["executable file `/no/x` not found in $PATH", "/no/x", 127, 'exec: "/no/x": stat /no/x: no such file or directory'],
  ["open executable: Operation not permitted", "/etc", 126, 'exec: "/etc": is a directory: permission denied'],
  ["open executable: Permission denied", "/etc/passwd", 126, 'exec: "/etc/passwd": permission denied'],
  ["open executable: Not a directory", "/bin/sh/x", 127, 'exec: "/bin/sh/x": stat /bin/sh/x: not a directory'],
  // crun 1.21
  ["executable file `x` not found in $PATH: No such file or directory", "x", 127, 'exec: "x": executable file not found in $PATH'],
  ["executable file `/no/x` not found: No such file or directory", "/no/x", 127, 'exec: "/no/x": stat /no/x: no such file or directory'],
  ["the path `/etc` is not a regular file: Operation not permitted", "/etc", 126, 'exec: "/etc": is a directory: permission denied'],
  ["the path `/./passwd` exists but it is not executable: Operation not permitted", "./passwd", 126, 'exec: "./passwd": permission denied'],
  ["cannot open `/bin/sh/x`: Not a directory", "/bin/sh/x", 127, 'exec: "/bin/sh/x": stat /bin/sh/x: not a directory'],
  ["exec: Exec format error", "/x", 126, 'exec: "/x": exec format error'],
  ["mount `/tmp/a` to `etc/passwd`: Not a directory", "true", 127, "Not a directory: Are you trying to mount a directory onto a file"],
  ["something else", "true", 128, "something else"],
])("%p is told as Docker does", (text, program, exitCode, message) => {
  const error = toStartError(new Error(text), "create", "crun", program);
  expect(startFailureExitCodes[error.failure]).toBe(exitCode);
  expect(error.message).toContain(message);
  expect(error.kind).toBe(exitCode === 128 ? "internal" : "invalid");
});
