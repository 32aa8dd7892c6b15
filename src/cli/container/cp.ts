import { command, exactly } from "../command.ts";
import { ExitError } from "../errors.ts";
import { bool } from "../flag-kinds.ts";

export const cp = command({
  usage: "[OPTIONS] CONTAINER:SRC_PATH DEST_PATH|-\n\tcp [OPTIONS] SRC_PATH|- CONTAINER:DEST_PATH",
  args: exactly(2),
  completes: "containers",
  flags: {
    archive: bool("a", "Give what is copied in to the container's user (all uid/gid information)"),
    "follow-link": bool("L", "Copy what a link at SRC_PATH leads to"),
    quiet: bool("q", "Do not show the progress (default when stdout is no terminal)"),
  },
  examples: ["cp web:/etc/nginx/nginx.conf .", "cp page.html web:/srv/", "cp web:/var/log - | tar t"],
  run: async (invocation) => {
    const { args, flags, changed, isTerminal } = invocation;
    const [from = "", to = ""] = args;
    if (from === "") throw new ExitError(1, "source can not be empty");
    if (to === "") throw new ExitError(1, "destination can not be empty");
    const source = splitArgument(from);
    const destination = splitArgument(to);
    const quiet = changed.has("quiet") ? flags.quiet : !(await isTerminal(1));
    const options = { followLink: flags["follow-link"], copyUidGid: flags.archive, quiet };
    if (source.container !== "" && destination.container !== "") throw new ExitError(1, "copying between containers is not supported");
    if (source.container !== "") return (await import("./copy/from-container.ts")).copyFromContainer(invocation, source, to, options);
    if (destination.container !== "")
      return (await import("./copy/to-container.ts")).copyToContainer(invocation, from, destination, options);
    throw new ExitError(1, "must specify at least one container source");
  },
});

/** `CONTAINER:PATH`, or a path of this host: an absolute one, one that begins with a dot, one without a colon. */
export interface CopyArgument {
  readonly container: string;
  readonly path: string;
}

export interface CopyOptions {
  readonly followLink: boolean;
  readonly copyUidGid: boolean;
  readonly quiet: boolean;
}

export function splitArgument(argument: string): CopyArgument {
  const colon = argument.indexOf(":");
  if (argument.startsWith("/") || argument.startsWith(".") || colon < 0) return { container: "", path: argument };
  return { container: argument.slice(0, colon), path: argument.slice(colon + 1) };
}
