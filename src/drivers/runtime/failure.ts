import { EngineError, messageOf } from "#lib/errors.ts";

/** Why a container's first process could not run, as far as an exit code depends on it. */
export type StartFailure = "not-found" | "not-permitted" | "bad-mount" | "other";

/** The exit code a shell would give. Source: docker-run(1), "Exit status". */
export const startFailureExitCodes: Readonly<Record<StartFailure, number>> = {
  "not-found": 127,
  "not-permitted": 126,
  "bad-mount": 127,
  other: 128,
};

/** A refused create or exec: the message is in the form Docker's clients match on, the runtime's own words in `cause`. */
export class StartError extends EngineError {
  readonly failure: StartFailure;
  constructor(failure: StartFailure, message: string, cause: unknown) {
    // The API says that a command that cannot be run, and a mount that does not fit, are the caller's fault.
    super(failure === "other" ? "internal" : "invalid", message, { cause });
    this.failure = failure;
  }
}

const prefixes = {
  create: (runtime: string) =>
    `failed to create task for container: failed to create shim task: OCI runtime create failed: ${runtime} create failed: unable to start container process: error during container init: `,
  exec: () => `OCI runtime exec failed: exec failed: unable to start container process: `,
};

/** Turns what crun or runc says into Docker's sentence for it. */
export function toStartError(error: unknown, action: "create" | "exec", runtimeName: string, program: string): StartError {
  const text = messageOf(error);
  const reason = readReason(text, program);
  return new StartError(reason.failure, prefixes[action](runtimeName) + reason.text, error);
}

function readReason(text: string, program: string): { failure: StartFailure; text: string } {
  const exec = `exec: ${JSON.stringify(program)}: `;
  if (/executable file .*not found/.test(text)) {
    // crun before 1.9 names $PATH for a path with a slash as well, where nothing is looked up in it.
    return program.includes("/")
      ? { failure: "not-found", text: `${exec}stat ${program}: no such file or directory` }
      : { failure: "not-found", text: `${exec}executable file not found in $PATH` };
  }
  const folder = /^chdir `(.*)`: /m.exec(text)?.[1];
  if (folder !== undefined) {
    const failure = /no such file or directory/i.test(text) ? "not-found" : "not-permitted";
    return { failure, text: `chdir to cwd (${JSON.stringify(folder)}) set in config.json failed: ${lastPart(text)}` };
  }
  // crun opens the program before it runs it; only a folder is refused like this. Newer ones say what is wrong with it.
  if (/open executable: operation not permitted|is not a regular file/i.test(text))
    return { failure: "not-permitted", text: `${exec}is a directory: permission denied` };
  if (/(?:open|exec|execve|stat) executable|execve?\b|exec container process|^exec: /im.test(text) || text.includes(program)) {
    if (/permission denied|exists but it is not executable/i.test(text))
      return { failure: "not-permitted", text: `${exec}permission denied` };
    if (/is a directory/i.test(text)) return { failure: "not-permitted", text: `${exec}is a directory` };
    if (/no such file or directory/i.test(text)) return { failure: "not-found", text: `${exec}no such file or directory` };
    if (/not a directory/i.test(text)) return { failure: "not-found", text: `${exec}stat ${program}: not a directory` };
    if (/exec format error/i.test(text)) return { failure: "not-permitted", text: `${exec}exec format error` };
  }
  if (/not a directory/i.test(text)) return { failure: "bad-mount", text: `${text}${mountAdvice}` };
  return { failure: "other", text };
}

const mountAdvice =
  ": Are you trying to mount a directory onto a file (or vice-versa)? Check if the specified host path exists and is the expected type";

/** The kernel's own words, after the last colon. */
function lastPart(text: string): string {
  return text.slice(text.lastIndexOf(": ") + 2).toLowerCase();
}
