import { jsonMessages } from "#client/json-messages.ts";
import type { ProgressMessage } from "#client/shapes.ts";
import { command, exactly } from "../command.ts";
import { ExitError } from "../errors.ts";
import { bool, strings, text } from "../flag-kinds.ts";
import { pipeInternal } from "../internal.ts";
import { printProgress } from "../progress.ts";

export const bootstrap = command({
  usage: "[OPTIONS] busybox|debian:SUITE|ubuntu:SUITE",
  args: exactly(1),
  examples: [
    "image bootstrap busybox",
    "image bootstrap --include ca-certificates debian:bookworm",
    "image bootstrap --mirror http://mirror.example/ubuntu --keyring ubuntu-archive-keyring.gpg ubuntu:noble",
  ],
  flags: {
    cache: text(undefined, "Folder where packages are kept for the next time"),
    components: strings(undefined, "Components of the mirror (default: main)"),
    include: strings(undefined, "Packages to install beyond those of the variant"),
    keyring: text(undefined, "File with the keys that may sign the packages"),
    mirror: text(undefined, "Mirror of the distribution (default: the one in this host's apt sources)"),
    quiet: bool("q", "Suppress the progress output"),
    timestamp: text(undefined, "Time of the image, in seconds since 1970 (default: $SOURCE_DATE_EPOCH, else of its newest package)"),
    variant: text(undefined, "Packages to begin with: essential, apt, or minbase (default)"),
  },
  run: async ({ args, flags, client, out, isTerminal }) => {
    const [name = ""] = args;
    const { cache, components, include, keyring, mirror, quiet, variant } = flags;
    const timestamp = flags.timestamp || (name.startsWith("busybox") ? "" : (process.env["SOURCE_DATE_EPOCH"] ?? ""));
    const single = Object.entries({ cache, keyring, mirror, timestamp, variant }).filter(([, value]) => value !== "");
    const options = [
      ...single.map(([key, value]) => `--${key}=${value}`),
      ...components.map((value) => `--components=${value}`),
      ...include.map((value) => `--include=${value}`),
      ...(quiet ? ["--quiet"] : []),
    ];
    const maker = pipeInternal(["bootstrap", ...options, "--", name]);
    const archive = maker.stdout[Symbol.asyncIterator]();
    // Its first byte comes when the whole image is made: without one it has failed, and has said why.
    const first = await archive.next();
    if (first.done) throw new ExitError((await maker.exited) || 1);
    const answer = await client.images.load(withFirst(first.value, { [Symbol.asyncIterator]: () => archive }), { quiet: true });
    const messages = jsonMessages(answer.body) as AsyncGenerator<ProgressMessage, void>;
    await printProgress(messages, { to: out, isQuiet: false, isTerminal: () => isTerminal(1) });
  },
});

async function* withFirst(first: Uint8Array, rest: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  yield first;
  yield* rest;
}
