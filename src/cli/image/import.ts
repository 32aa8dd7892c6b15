import { atLeast, command } from "../command.ts";
import { ExitError } from "../errors.ts";
import { list, text } from "../flag-kinds.ts";
import { printProgress } from "../progress.ts";
import { checkReference } from "./reference.ts";

export const importImage = command({
  usage: "[OPTIONS] file|URL|- [REPOSITORY[:TAG]]",
  args: atLeast(1),
  completes: "files",
  flags: {
    change: list("c", "Change the config of the image, by an instruction of a Dockerfile"),
    message: text("m", "What this image is about"),
    platform: text(undefined, "Platform of the image: OS[/ARCH[/VARIANT]] (default: this daemon's)"),
  },
  examples: ["import root.tar base:1", "import -c 'CMD [\"sh\"]' https://example.com/root.tar.gz base:1", "export web | import - web:flat"],
  run: async ({ args, flags, client, out, isTerminal }) => {
    const [source = "", reference = ""] = args;
    const isUrl = /^https?:\/\//.test(source);
    const file = source === "-" ? Bun.stdin : Bun.file(source);
    if (!isUrl && source !== "-" && !(await file.exists())) throw new ExitError(1, `open ${source}: no such file or directory`);
    if (reference !== "") checkReference(reference);
    const messages = client.images.import(
      { source: isUrl ? source : "-", reference, message: flags.message, changes: flags.change, platform: flags.platform },
      isUrl ? undefined : chunksOf(file.stream()),
    );
    await printProgress(messages, { to: out, isQuiet: false, isTerminal: () => isTerminal(1) });
  },
});

async function* chunksOf(stream: ReadableStream<Uint8Array>): AsyncGenerator<Uint8Array, void> {
  for await (const chunk of stream) yield chunk;
}
