import { jsonMessages } from "#client/json-messages.ts";
import type { ProgressMessage } from "#client/shapes.ts";
import { command, noArguments } from "../command.ts";
import { ExitError } from "../errors.ts";
import { bool, text } from "../flag-kinds.ts";
import { printProgress } from "../progress.ts";
import { platformQuery } from "./platform.ts";

export const load = command({
  usage: "[OPTIONS]",
  args: noArguments,
  completes: "files",
  flags: {
    input: text("i", "File of the archive (default: stdin)"),
    platform: text(undefined, "Take this platform only: OS[/ARCH[/VARIANT]]"),
    quiet: bool("q", "Do not show the progress"),
  },
  run: async ({ flags, client, out, isTerminal }) => {
    const file = flags.input === "" ? Bun.stdin : Bun.file(flags.input);
    if (flags.input !== "" && !(await file.exists())) throw new ExitError(1, `open ${flags.input}: no such file or directory`);
    if (flags.input === "" && (await isTerminal(0))) throw new ExitError(1, "requested load from stdin, but stdin is empty");
    const quiet = flags.quiet || !(await isTerminal(1));
    const answer = await client.images.load(chunksOf(file.stream()), { quiet, platform: platformQuery(flags.platform) });
    if (answer.headers.get("content-type")?.startsWith("application/json")) {
      const messages = jsonMessages(answer.body) as AsyncGenerator<ProgressMessage, void>;
      await printProgress(messages, { to: out, isQuiet: false, isTerminal: () => isTerminal(1) });
    } else {
      const decoder = new TextDecoder();
      for await (const chunk of answer.body) await out.write(decoder.decode(chunk, { stream: true }));
    }
  },
});

async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of stream) yield chunk;
}
