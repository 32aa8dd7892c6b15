import { DaemonError } from "#client/errors.ts";
import { messageOf } from "#lib/errors.ts";
import { atLeast, command, type Invocation } from "../command.ts";
import { ExitError } from "../errors.ts";
import { bool, text } from "../flag-kinds.ts";
import { bodyOf, createContainer } from "./create-container.ts";
import { createFlags } from "./options/flags.ts";
import type { CreateBody } from "./options/request.ts";
import { proxySignals } from "./proxy-signals.ts";
import { attachStreams } from "./streams.ts";

const flags = {
  ...createFlags,
  detach: bool("d", "Do not wait for the end; print the container's ID"),
  detachKeys: text(undefined, 'Keys that detach, such as "ctrl-p,ctrl-q" (the default)'),
  pull: text(undefined, "When to pull the image: always, missing, never", { initially: "missing" }),
  sigProxy: bool(undefined, "Pass signals on to the program", { initially: true }),
} as const;

type Run = Invocation<typeof flags>;

export const run = command({
  usage: "[OPTIONS] IMAGE [COMMAND] [ARG...]",
  args: atLeast(1),
  stopAtFirstArgument: true,
  completes: "images",
  examples: ["run --rm -it busybox sh", "run -d --name web -p 8080:80 nginx", "run --rm -v ./data:/data alpine ls /data"],
  flags,
  run: async (invocation) => {
    const body = await orExit(invocation, () => bodyOf(invocation));
    const isDetached = invocation.flags.detach;
    if (isDetached) detach(invocation, body);
    else if (body.AttachStdin && body.Tty && !(await invocation.isTerminal(0))) throw new ExitError(1, "the input device is not a TTY");
    const creating = orExit(invocation, () => createContainer(invocation, body));
    // While the daemon makes the container: for the start, and for the streams.
    for (let count = isDetached ? 0 : 2; count > 0; count--) invocation.client.http.connectAhead().catch(() => {});
    const id = await creating;
    const isAttached = body.AttachStdin || body.AttachStdout || body.AttachStderr;
    return isAttached ? await runAttached(invocation, body, id) : await runDetached(invocation, id);
  },
});

function detach(invocation: Run, body: CreateBody): void {
  if (invocation.flags.attach.length > 0) throw new ExitError(1, "conflicting options: cannot specify both --attach and --detach");
  body.AttachStdin = body.AttachStdout = body.AttachStderr = body.StdinOnce = false;
}

async function runDetached(invocation: Run, id: string): Promise<number> {
  try {
    await orExit(invocation, () => invocation.client.containers.start(id));
  } finally {
    await invocation.out.line(id); // it is there, started or not
  }
  return 0;
}

/** The streams are attached and the end is watched before the start: nothing of either can be missed. */
async function runAttached(invocation: Run, body: CreateBody, id: string): Promise<number> {
  const { client } = invocation;
  const streams = { stdin: body.AttachStdin, stdout: body.AttachStdout, stderr: body.AttachStderr };
  const { AutoRemove: removes } = body.HostConfig;
  const watching = client.containers.wait(id, removes ? "removed" : "next-exit");
  watching.catch(() => {}); // awaited below, unless the attach fails
  const startFailed = async (error: unknown): Promise<never> => {
    if (removes) await watching.then(({ ended }) => ended).catch(() => {}); // the name is free again when we end
    throw failure(invocation, error);
  };
  const attaching = attachStreams(invocation, {
    container: id,
    ...streams,
    tty: body.Tty,
    detachKeys: invocation.flags.detachKeys,
    // Our daemon tells the end of a container that is gone to who asks a moment late: the wait need not be there before the start.
    start: removes,
  }).catch((error: unknown) => (removes ? startFailed(error) : Promise.reject(error)));
  using _signals = invocation.flags.sigProxy && !body.Tty ? proxySignals(client, id) : undefined;
  await using attached = await attaching;
  const { ended } = await watching;
  ended.catch(() => {}); // awaited below, unless the start fails
  if (!attached.isStarted) {
    try {
      await client.containers.start(id);
    } catch (error) {
      attached.stop();
      return await startFailed(error);
    }
  }
  if ((await attached.done()) === "detached") return 0;
  const { StatusCode, Error: problem } = await ended;
  if (problem?.Message) throw new ExitError(125, `Error waiting for container: ${problem.Message}`);
  return StatusCode;
}

async function orExit<T>(invocation: Run, body: () => Promise<T>): Promise<T> {
  try {
    return await body();
  } catch (error) {
    throw failure(invocation, error);
  }
}

/**
 * Docker's exit codes: 127 when the program is not there, 126 when it cannot be run, 125 for everything that is not the program's fault. The
 * daemon tells the three apart only in its text.
 */
function failure({ program, commandPath }: Run, error: unknown): ExitError {
  if (error instanceof ExitError) return error;
  const message = messageOf(error);
  const code = error instanceof DaemonError ? exitCode(error.detail) : 125;
  return new ExitError(code, `${program}: ${message}\n\nRun '${commandPath} --help' for more information`);
}

function exitCode(detail: string): number {
  if (/executable file not found|no such file or directory|system cannot find the file specified/.test(detail)) return 127;
  return /permission denied|is a directory/.test(detail) ? 126 : 125;
}
