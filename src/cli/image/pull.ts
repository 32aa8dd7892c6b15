import { command, exactly } from "../command.ts";
import { ExitError } from "../errors.ts";
import { bool, text } from "../flag-kinds.ts";
import { pullImage } from "./pull-image.ts";
import { checkReference, familiarName, fullName, parseReference } from "./reference.ts";

export const pull = command({
  usage: "[OPTIONS] NAME[:TAG|@DIGEST]",
  args: exactly(1),
  completes: "images",
  flags: {
    allTags: bool("a", "Fetch every tag of the repository"),
    disableContentTrust: bool(undefined, "Accepted, without effect: signatures are not checked", { initially: true }),
    platform: text(undefined, "Platform of the image: OS[/ARCH[/VARIANT]]"),
    quiet: bool("q", "Print the name only"),
  },
  run: async (invocation) => {
    const { flags, args, out } = invocation;
    const [name = ""] = args;
    checkReference(name);
    const reference = parseReference(name);
    if (!reference) throw new ExitError(1, "invalid reference format"); // an id
    if (flags.allTags && (reference.tag ?? reference.digest)) throw new ExitError(1, "tag can't be used with --all-tags/-a");
    const full = flags.allTags ? reference.name : (familiarName(name) ?? name);
    if (!flags.allTags && !reference.tag && !reference.digest && !flags.quiet) await out.line("Using default tag: latest");
    await pullImage({ ...invocation, reference: name, platform: flags.platform, isQuiet: flags.quiet, allTags: flags.allTags, to: out });
    await out.line(fullName(full));
  },
});
