import { jsonMessages } from "#client/json-messages.ts";
import type { ProgressMessage } from "#client/shapes.ts";
import { command, exactly } from "../command.ts";
import { ExitError } from "../errors.ts";
import { bool, text } from "../flag-kinds.ts";
import { pipeInternal } from "../internal.ts";
import { printProgress } from "../progress.ts";

export const bootstrap = command({
  usage: "[OPTIONS] busybox|debian:SUITE",
  args: exactly(1),
  examples: ["image bootstrap busybox", "image bootstrap debian:bookworm"],
  flags: {
    mirror: text(undefined, "Mirror of Debian (default: the one in this host's apt sources)"),
    quiet: bool("q", "Suppress the progress output"),
  },
  run: async ({ args, flags, client, out, isTerminal }) => {
    const [name = ""] = args;
    const options = [...(flags.mirror === "" ? [] : [`--mirror=${flags.mirror}`]), ...(flags.quiet ? ["--quiet"] : [])];
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
