import { command, exactly } from "../command.ts";
import { ExitError } from "../errors.ts";
import { bool, text } from "../flag-kinds.ts";
import { proxySignals } from "./proxy-signals.ts";
import { attachStreams } from "./streams.ts";

export const attach = command({
  usage: "[OPTIONS] CONTAINER",
  args: exactly(1),
  completes: "running",
  flags: {
    detachKeys: text(undefined, 'Keys that detach, such as "ctrl-p,ctrl-q" (the default)'),
    noStdin: bool(undefined, "Leave stdin alone"),
    sigProxy: bool(undefined, "Pass signals on to the program", { initially: true }),
  },
  run: async (invocation) => {
    const { args, flags, client } = invocation;
    const [name = ""] = args;
    // Watched from before the look at the state: an end in between is not missed.
    const { ended } = await client.containers.wait(name, "next-exit");
    ended.catch(() => {}); // awaited below, or given up with the connection
    const { Id, State, Config } = await client.containers.inspect(name);
    if (!State?.Running) throw new ExitError(1, "You cannot attach to a stopped container, start it first");
    if (State.Paused) throw new ExitError(1, "You cannot attach to a paused container, unpause it first");
    if (State.Restarting) throw new ExitError(1, "You cannot attach to a restarting container, wait until it is running");
    const tty = Config?.Tty ?? false;
    const stdin = !flags.noStdin && (Config?.OpenStdin ?? false);
    if (stdin && tty && !(await invocation.isTerminal(0))) throw new ExitError(1, "the input device is not a TTY");
    const streams = { stdin, stdout: true, stderr: true, tty, detachKeys: flags.detachKeys, redraws: true };
    using _signals = flags.sigProxy && !tty ? proxySignals(client, Id) : undefined;
    await using attached = await attachStreams(invocation, { container: Id, ...streams });
    if ((await attached.done()) === "detached") {
      await invocation.err.line("read escape sequence");
      return 1;
    }
    const { StatusCode, Error: problem } = await ended;
    if (problem?.Message) throw new ExitError(1, problem.Message);
    return StatusCode;
  },
});
