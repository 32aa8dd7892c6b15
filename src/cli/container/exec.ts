import { atLeast, command, type Invocation } from "../command.ts";
import { ExitError } from "../errors.ts";
import { bool, list, text } from "../flag-kinds.ts";
import { environmentEntry, readEnvironment } from "./options/environment.ts";
import { tie } from "./streams.ts";

const flags = {
  detach: bool("d", "Do not wait for the end of the program"),
  detachKeys: text(undefined, 'Keys that detach, such as "ctrl-p,ctrl-q" (the default)'),
  env: list("e", "Environment variable, NAME=VALUE; NAME alone passes on the value it has here", (value) =>
    environmentEntry(value, process.env),
  ),
  envFile: list(undefined, "File of environment variables, one a line"),
  interactive: bool("i", "Keep stdin open"),
  privileged: bool(undefined, "Give the program all capabilities"),
  tty: bool("t", "Give the program a terminal"),
  user: text("u", "User to run as, by name or number: USER[:GROUP]"),
  workdir: text("w", "Folder inside the container to start in"),
} as const;

export const exec = command({
  usage: "[OPTIONS] CONTAINER COMMAND [ARG...]",
  args: atLeast(2),
  stopAtFirstArgument: true,
  completes: "running",
  examples: ["exec -it web sh", "exec -u 1000 -w /tmp web ls -l"],
  flags,
  run: async (invocation) => {
    const { args, flags, client } = invocation;
    const [container = "", ...program] = args;
    // Told apart from a missing program before anything is made; Docker's client asks the same.
    await client.containers.inspect(container);
    const isAttached = !flags.detach;
    if (isAttached && flags.interactive && flags.tty && !(await invocation.isTerminal(0)))
      throw new ExitError(1, "the input device is not a TTY");
    const consoleSize = flags.tty ? await sizeOfTerminal() : undefined;
    const id = await client.execs.create(container, {
      User: flags.user,
      Privileged: flags.privileged,
      Tty: flags.tty,
      ...(consoleSize ? { ConsoleSize: consoleSize } : {}),
      AttachStdin: isAttached && flags.interactive,
      AttachStderr: isAttached,
      AttachStdout: isAttached,
      ...(flags.detach ? { Detach: true } : {}),
      DetachKeys: flags.detachKeys || ((await invocation.config()).detachKeys ?? ""),
      Env: await readEnvironment(flags.envFile, flags.env, invocation.environment),
      WorkingDir: flags.workdir,
      Cmd: program,
    });
    if (id === "") throw new ExitError(1, "exec ID empty");
    if (flags.detach) {
      await client.execs.startDetached(id, { tty: flags.tty });
      return 0;
    }
    return runAttached(invocation, id, consoleSize);
  },
});

async function runAttached(
  invocation: Invocation<typeof flags>,
  id: string,
  consoleSize: readonly [number, number] | undefined,
): Promise<number> {
  const { client, flags } = invocation;
  const { stream } = await client.execs.start(id, { tty: flags.tty, consoleSize });
  await using attached = tie(invocation, stream, {
    stdin: flags.interactive,
    stdout: true,
    stderr: true,
    tty: flags.tty,
    detachKeys: flags.detachKeys || ((await invocation.config()).detachKeys ?? ""),
    resize: (size) => client.execs.resize(id, size),
  });
  if ((await attached.done()) === "detached") {
    await invocation.err.line("read escape sequence");
    return 1;
  }
  return (await client.execs.inspect(id)).ExitCode ?? 0;
}

async function sizeOfTerminal(): Promise<readonly [number, number] | undefined> {
  const size = (await import("../terminal.ts")).terminalSize(1);
  return size && [size.rows, size.columns];
}
