import { messageOf } from "#lib/errors.ts";
import { atLeast, command } from "../command.ts";
import { ExitError } from "../errors.ts";
import { text } from "../flag-kinds.ts";
import { wholePlatformQuery } from "./platform.ts";

export const save = command({
  usage: "[OPTIONS] IMAGE [IMAGE...]",
  args: atLeast(1),
  completes: "images",
  flags: {
    output: text("o", "File to write to (default: stdout)"),
    platform: text(undefined, "Write this platform only: OS[/ARCH[/VARIANT]]"),
  },
  examples: ["save -o web.tar web:1", "save web:1 db:2 | zstd > both.tar.zst"],
  run: async ({ args, flags, client, out, isTerminal }) => {
    const platform = platformOf(flags.platform);
    if (flags.output === "") {
      if (await isTerminal(1)) throw new ExitError(1, "cowardly refusing to save to a terminal. Use the -o flag or redirect");
      for await (const chunk of (await client.images.save(args, { platform })).body) await out.write(chunk);
      return;
    }
    const { checkExportPath, writeToFile } = await import("../container/export-file.ts");
    checkExportPath(flags.output, "failed to save image");
    await writeToFile(flags.output, (await client.images.save(args, { platform })).body);
  },
});

function platformOf(platform: string): string | undefined {
  try {
    return wholePlatformQuery(platform);
  } catch (error) {
    throw new ExitError(1, `invalid platform: ${messageOf(error)}`);
  }
}
