import { messageOf } from "#lib/errors.ts";
import { command, exactly } from "../command.ts";
import { ExitError } from "../errors.ts";
import { bool, text } from "../flag-kinds.ts";
import { printNote } from "../note.ts";
import { printProgress } from "../progress.ts";
import { encodeAuth, registryAuth } from "../registry/credentials.ts";
import { platformQuery } from "./platform.ts";
import { checkReference, fullName, parseReference } from "./reference.ts";

export const push = command({
  usage: "[OPTIONS] NAME[:TAG]",
  args: exactly(1),
  completes: "images",
  flags: {
    allTags: bool("a", "Push every tag of the repository"),
    disableContentTrust: bool(undefined, "Accepted, without effect: nothing is signed", { initially: true }),
    platform: text(undefined, "Platform that the image must be for: OS[/ARCH[/VARIANT]]"),
    quiet: bool("q", "Print the name only"),
  },
  examples: ["push registry.example:5000/team/app:1.0", "push -a registry.example:5000/team/app"],
  run: async (invocation) => {
    const { flags, args, out, client, isTerminal } = invocation;
    const [name = ""] = args;
    const platform = platformOf(flags.platform);
    if (platform !== undefined) await printNote(out, platformNote, await isTerminal(1));
    checkReference(name);
    const reference = parseReference(name);
    if (!reference) throw new ExitError(1, "invalid reference format"); // an id
    if (flags.allTags && (reference.tag ?? reference.digest)) throw new ExitError(1, "tag can't be used with --all-tags/-a");
    if (reference.digest) throw new ExitError(1, "cannot push a digest reference");
    if (!flags.allTags && !reference.tag && !flags.quiet) await out.line("Using default tag: latest");
    const tag = flags.allTags ? "" : (reference.tag ?? "latest");
    const auth = (await registryAuth(await invocation.config(), reference.name)) ?? encodeAuth({});
    const messages = client.images.push({ name: reference.name, tag, platform, registryAuth: auth });
    await printProgress(messages, { to: out, isQuiet: flags.quiet, isTerminal: () => isTerminal(1) });
    if (flags.quiet) await out.line(fullName(tag === "" ? reference.name : `${reference.name}:${tag}`));
  },
});

/** What is left out of a push is said before it. */
const platformNote =
  "Using --platform pushes only the specified platform manifest of a multi-platform image index.\n" +
  "Other components, like attestations, will not be included.\nTo push the complete multi-platform image, remove the --platform flag.\n";

function platformOf(text: string): string | undefined {
  try {
    return platformQuery(text);
  } catch (error) {
    throw new ExitError(1, `Invalid platform ${text}${messageOf(error)}`);
  }
}
