import { command, exactly } from "../command.ts";
import { text } from "../flag-kinds.ts";
import { printRows } from "../format/rows.ts";
import { Row } from "../format/values.ts";
import { checkpointFolder } from "./folder.ts";

export const ls = command({
  usage: "[OPTIONS] CONTAINER",
  args: exactly(1),
  completes: "containers",
  examples: ["checkpoint ls web"],
  flags: { checkpointDir: text(undefined, checkpointFolder) },
  run: async ({ args, flags, client, out }) => {
    const checkpoints = await client.checkpoints.list(args[0] ?? "", flags.checkpointDir);
    await printRows(
      checkpoints.map(({ Name }) => new Row("*checkpoint.checkpointContext", { Name: () => Name })),
      { format: "table", defaultTable: "{{.Name}}", raw: "{{.Name}}\n", quiet: undefined, headers: { Name: "CHECKPOINT NAME" } },
      out,
    );
  },
});
