import { messageOf } from "#lib/errors.ts";
import { atLeast, command, type Invocation } from "../command.ts";
import { printFailures } from "../each.ts";
import { ExitError } from "../errors.ts";
import { bool, text } from "../flag-kinds.ts";
import { proxySignals } from "./proxy-signals.ts";
import { attachStreams } from "./streams.ts";

const flags = {
  attach: bool("a", "Show the program's output and pass signals on to it"),
  checkpoint: text(undefined, "Checkpoint to go on from"),
  checkpointDir: text(undefined, "Folder that holds the checkpoint"),
  detachKeys: text(undefined, 'Keys that detach, such as "ctrl-p,ctrl-q" (the default)'),
  interactive: bool("i", "Connect stdin to the program"),
} as const;

export const start = command({
  usage: "[OPTIONS] CONTAINER [CONTAINER...]",
  args: atLeast(1),
  completes: "containers",
  flags,
  run: async (invocation) => {
    const { args, flags, client } = invocation;
    const isAttached = flags.attach || flags.interactive;
    if (isAttached && args.length > 1) throw new ExitError(1, "you cannot start and attach multiple containers at once");
    if (isAttached) return startAttached(invocation);
    if (flags.checkpoint === "") return startAll(invocation);
    if (args.length > 1) throw new ExitError(1, "you cannot restore multiple containers at once");
    await client.containers.start(args[0] ?? "", checkpointOf(flags));
    return 0;
  },
});

function checkpointOf({ checkpoint, checkpointDir }: Invocation<typeof flags>["flags"]) {
  return { checkpoint, checkpointDirectory: checkpointDir };
}

async function startAll(invocation: Invocation<typeof flags>): Promise<number> {
  const { args, client, out } = invocation;
  const failures: string[] = [];
  const failed: string[] = [];
  for (const name of args) {
    try {
      await client.containers.start(name);
      await out.line(name);
    } catch (error) {
      failures.push(messageOf(error));
      failed.push(name);
    }
  }
  if (failed.length > 0) failures.push(`Error: failed to start containers: ${failed.join(", ")}`);
  return printFailures(invocation, failures);
}

async function startAttached(invocation: Invocation<typeof flags>): Promise<number> {
  const { flags, client } = invocation;
  const { Id, Config, HostConfig } = await client.containers.inspect(invocation.args[0] ?? "");
  const tty = Config?.Tty ?? false;
  const stdin = flags.interactive && (Config?.OpenStdin ?? false);
  using _signals = tty ? undefined : proxySignals(client, Id);
  await using attached = await attachStreams(invocation, {
    container: Id,
    stdin,
    stdout: true,
    stderr: true,
    tty,
    detachKeys: flags.detachKeys,
  });
  const { ended } = await client.containers.wait(Id, HostConfig?.AutoRemove ? "removed" : "next-exit");
  ended.catch(() => {}); // awaited below, unless the start fails
  await client.containers.start(Id, checkpointOf(flags));
  if ((await attached.done()) === "detached") return 0;
  const { StatusCode, Error: problem } = await ended;
  if (problem?.Message) throw new ExitError(1, problem.Message);
  return StatusCode;
}
