import { atLeast, command } from "../command.ts";
import { ExitError } from "../errors.ts";
import { bool } from "../flag-kinds.ts";
import { Registry } from "./ask-registry.ts";
import { manifestFor } from "./manifest-for.ts";
import { normalName, parsedName } from "./names.ts";
import { ManifestStore } from "./store.ts";

export const create = command({
  usage: "MANIFEST_LIST MANIFEST [MANIFEST...]",
  args: atLeast(2),
  flags: {
    amend: bool("a", "Add to a list that is there"),
    insecure: bool(undefined, "Speak to a registry without verified TLS, or without TLS"),
  },
  examples: ["manifest create registry.example/app:1 registry.example/app:1-amd64 registry.example/app:1-arm64"],
  run: async ({ args, flags, config, out }) => {
    const [target = "", ...names] = args;
    const list = parsedName(target, "error parsing name for manifest list");
    const { folder } = await config();
    const store = new ManifestStore(folder);
    if (!flags.amend && (await store.list(list)))
      throw new ExitError(1, "refusing to amend an existing manifest list with no --amend flag");
    const registry = new Registry(await config(), flags.insecure);
    for (const text of names) {
      const name = normalName(text);
      await store.save(list, name, await manifestFor(name, { list, store, registry }));
    }
    await out.line(`Created manifest list ${list}`);
  },
});
