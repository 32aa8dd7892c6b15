import { atLeast, command, type Invocation } from "../command.ts";
import { ExitError } from "../errors.ts";
import { bool, list, text } from "../flag-kinds.ts";
import { environmentEntry, readEnvironment } from "./options/environment.ts";
import { tie } from "./streams.ts";

const flags = {
  detach: bool("d", "Detached mode: run command in the background"),
  detachKeys: text(undefined, "Override the key sequence for detaching a container"),
  env: list("e", "Set environment variables", (value) => environmentEntry(value, process.env)),
  envFile: list(undefined, "Read in a file of environment variables"),
  interactive: bool("i", "Keep STDIN open even if not attached"),
  privileged: bool(undefined, "Give extended privileges to the command"),
  tty: bool("t", "Allocate a pseudo-TTY"),
  user: text("u", 'Username or UID (format: "<name|uid>[:<group|gid>]")'),
  workdir: text("w", "Working directory inside the container"),
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
