import { atMost, command } from "../command.ts";
import { labelEntry, readLabels } from "../container/options/environment.ts";
import { list, map, text } from "../flag-kinds.ts";

export const create = command({
  usage: "[OPTIONS] [VOLUME]",
  args: atMost(1),
  flags: {
    driver: text("d", "Driver of the volume", { initially: "local" }),
    label: list(undefined, "Label, KEY=VALUE", labelEntry),
    opt: map("o", "Option of the driver, KEY=VALUE"),
  },
  run: async ({ args, flags, client, out }) => {
    const { Name } = await client.volumes.create({
      ...(args[0] ? { Name: args[0] } : {}),
      Driver: flags.driver,
      ...(Object.keys(flags.opt).length > 0 ? { DriverOpts: flags.opt } : {}),
      ...(flags.label.length > 0 ? { Labels: await readLabels([], flags.label) } : {}),
    });
    await out.line(Name);
  },
});
