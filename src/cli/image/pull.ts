import { command, exactly } from "../command.ts";
import { ExitError } from "../errors.ts";
import { bool, text } from "../flag-kinds.ts";
import { pullImage } from "./pull-image.ts";
import { printProgress } from "../progress.ts";
import { registryAuth } from "../registry/credentials.ts";
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
    referrers: bool(undefined, "Fetch what refers to the image, too: signatures, bills of materials"),
  },
  examples: ["pull registry.example/team/app:1", "pull --referrers registry.example/team/app:1"],
  run: async (invocation) => {
    const { flags, args, out, client, config, isTerminal } = invocation;
    const [name = ""] = args;
    checkReference(name);
    const reference = parseReference(name);
    if (!reference) throw new ExitError(1, "invalid reference format"); // an id
    if (flags.allTags && flags.referrers) throw new ExitError(1, "--referrers is for one tag: it cannot be used with --all-tags/-a");
    if (flags.allTags && (reference.tag ?? reference.digest)) throw new ExitError(1, "tag can't be used with --all-tags/-a");
    const full = flags.allTags ? reference.name : (familiarName(name) ?? name);
    if (!flags.allTags && !reference.tag && !reference.digest && !flags.quiet) await out.line("Using default tag: latest");
    await pullImage({ ...invocation, reference: name, platform: flags.platform, isQuiet: flags.quiet, allTags: flags.allTags, to: out });
    if (flags.referrers) {
      const auth = await registryAuth(await config(), reference.name);
      const messages = client.images.fetchReferrers(name, { artifactType: "", registryAuth: auth });
      await printProgress(messages, { to: out, isQuiet: flags.quiet, isTerminal: () => isTerminal(1) });
    }
    await out.line(fullName(full));
  },
});
