import { atLeast, command } from "../command.ts";
import { layOutRight } from "../format/table.ts";

export const top = command({
  usage: "CONTAINER [ps OPTIONS]",
  args: atLeast(1),
  stopAtFirstArgument: true,
  completes: "running",
  flags: {},
  run: async ({ args, client, out }) => {
    const [name = "", ...psArguments] = args;
    const { Titles, Processes } = await client.containers.top(name, psArguments);
    const rows = [Titles ?? [], ...(Processes ?? [])].map((cells) => cells.map((cell) => cell.replaceAll("\t", " ")));
    await out.write(layOutRight(rows));
  },
});
