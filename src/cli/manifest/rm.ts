import { atLeast, command } from "../command.ts";
import { printFailures } from "../each.ts";
import { normalName } from "./names.ts";
import { ManifestStore } from "./store.ts";

export const rm = command({
  usage: "MANIFEST_LIST [MANIFEST_LIST...]",
  args: atLeast(1),
  flags: {},
  examples: ["manifest rm registry.example/app:1"],
  run: async (invocation) => {
    const store = new ManifestStore((await invocation.config()).folder);
    const failures: string[] = [];
    for (const name of invocation.args.map(normalName)) {
      if (await store.list(name)) await store.remove(name);
      else failures.push(`No such manifest: ${name}`);
    }
    return printFailures(invocation, failures);
  },
});
