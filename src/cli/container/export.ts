import { command, exactly } from "../command.ts";
import { ExitError } from "../errors.ts";
import { text } from "../flag-kinds.ts";

export const exportContainer = command({
  usage: "[OPTIONS] CONTAINER",
  args: exactly(1),
  completes: "containers",
  flags: { output: text("o", "File to write to (default: stdout)") },
  examples: ["export -o web.tar web", "export web | tar t"],
  run: async ({ args, flags, client, out, isTerminal }) => {
    const [name = ""] = args;
    if (flags.output === "" && (await isTerminal(1)))
      throw new ExitError(1, "cowardly refusing to save to a terminal. Use the -o flag or redirect");
    if (flags.output === "") {
      for await (const chunk of (await client.containers.export(name)).body) await out.write(chunk);
      return;
    }
    const { checkExportPath, writeToFile } = await import("./export-file.ts");
    checkExportPath(flags.output);
    await writeToFile(flags.output, (await client.containers.export(name)).body);
  },
});
