import { command, exactly } from "../command.ts";
import { bool, text } from "../flag-kinds.ts";
import { unixTime } from "../timestamps.ts";
import { demultiplex } from "./demultiplex.ts";

export const logs = command({
  usage: "[OPTIONS] CONTAINER",
  args: exactly(1),
  completes: "containers",
  flags: {
    details: bool(undefined, "Show extra details provided to logs"),
    follow: bool("f", "Follow log output"),
    since: text(undefined, 'Show logs since timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)'),
    tail: text("n", "Number of lines to show from the end of the logs", { initially: "all" }),
    timestamps: bool("t", "Show timestamps"),
    until: text(undefined, 'Show logs before a timestamp (e.g. "2013-01-02T13:23:37Z") or relative (e.g. "42m" for 42 minutes)'),
  },
  run: async ({ args, flags, client, out, err }) => {
    const [name = ""] = args;
    const { Config } = await client.containers.inspect(name);
    const now = Date.now();
    const answer = await client.containers.logs(name, {
      follow: flags.follow,
      timestamps: flags.timestamps,
      details: flags.details,
      tail: flags.tail,
      since: unixTime(flags.since, now) ?? flags.since,
      until: unixTime(flags.until, now) ?? flags.until,
    });
    // Logs are the program's own bytes: they are shown as they are, on a terminal too.
    if (Config?.Tty) for await (const chunk of answer.body) await out.write(chunk);
    else await demultiplex(answer.body, out, err);
  },
});
