import { atLeast, command } from "../command.ts";
import { layOutRight } from "../format/table.ts";
import { withoutControls } from "../output.ts";

export const top = command({
  usage: "CONTAINER [ps OPTIONS]",
  args: atLeast(1),
  stopAtFirstArgument: true,
  completes: "running",
  flags: {},
  run: async ({ args, client, out, isTerminal }) => {
    const [name = "", ...psArguments] = args;
    const { Titles, Processes } = await client.containers.top(name, psArguments);
    const clean = (await isTerminal(1)) ? withoutControls : (text: string): string => text;
    const rows = [Titles ?? [], ...(Processes ?? [])].map((cells) => cells.map((cell) => clean(cell.replaceAll("\t", " "))));
    await out.write(layOutRight(rows));
  },
});
