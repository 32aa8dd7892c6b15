import { atMost, command } from "../command.ts";
import { labelEntry, readLabels } from "../container/options/environment.ts";
import { ExitError } from "../errors.ts";
import { list, map, text } from "../flag-kinds.ts";

export const create = command({
  usage: "[OPTIONS] [VOLUME]",
  args: atMost(1),
  flags: {
    driver: text("d", "Driver of the volume", { initially: "local" }),
    label: list(undefined, "Label, KEY=VALUE", labelEntry),
    // The name as a flag is of before 1.10, and still in scripts.
    name: text(undefined, "Name of the volume", { hidden: true }),
    opt: map("o", "Option of the driver, KEY=VALUE"),
  },
  run: async ({ args, flags, client, out }) => {
    if (args.length > 0 && flags.name !== "")
      throw new ExitError(1, "conflicting options: cannot specify a volume-name through both --name and as a positional arg");
    const name = args[0] ?? flags.name;
    const { Name } = await client.volumes.create({
      ...(name === "" ? {} : { Name: name }),
      Driver: flags.driver,
      ...(Object.keys(flags.opt).length > 0 ? { DriverOpts: flags.opt } : {}),
      ...(flags.label.length > 0 ? { Labels: await readLabels([], flags.label) } : {}),
    });
    await out.line(Name);
  },
});
