import { command, exactly } from "../command.ts";
import { ExitError } from "../errors.ts";
import { bool, text } from "../flag-kinds.ts";
import { unixTime } from "../timestamps.ts";
import { demultiplex } from "./demultiplex.ts";

export const logs = command({
  usage: "[OPTIONS] CONTAINER",
  args: exactly(1),
  completes: "containers",
  flags: {
    details: bool(undefined, "Add the labels and variables chosen by log options"),
    follow: bool("f", "Go on printing what is written from now on"),
    since: text(undefined, 'Leave out what is older: a time, or an age such as "10m"'),
    tail: text("n", "How many of the last lines to print, or all", { initially: "all" }),
    timestamps: bool("t", "Put the time before each line"),
    until: text(undefined, 'Leave out what is newer: a time, or an age such as "10m"'),
  },
  run: async ({ args, flags, client, out, err }) => {
    const [name = ""] = args;
    const { Config } = await client.containers.inspect(name);
    const [since, until] = [moment("since", flags.since), moment("until", flags.until)];
    const answer = await client.containers.logs(name, {
      follow: flags.follow,
      timestamps: flags.timestamps,
      details: flags.details,
      tail: flags.tail,
      since,
      until,
    });
    // Logs are the program's own bytes: they are shown as they are, on a terminal too.
    if (Config?.Tty) for await (const chunk of answer.body) await out.write(chunk);
    else await demultiplex(answer.body, out, err);
  },
});

function moment(flag: string, value: string): string | undefined {
  const time = unixTime(value, Date.now());
  if (time === undefined && value !== "")
    throw new ExitError(1, `invalid value for "${flag}": failed to parse value as time or duration: ${JSON.stringify(value)}`);
  return time;
}
