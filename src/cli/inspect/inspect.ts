import type { Client } from "#client/client.ts";
import { isKind } from "#lib/errors.ts";
import { atLeast, command } from "../command.ts";
import { ExitError } from "../errors.ts";
import { bool, text } from "../flag-kinds.ts";
import { objectFormat } from "../help-texts.ts";
import { type Inspection, printInspections } from "./print.ts";

type Ask = (client: Client, name: string, size: boolean) => Promise<string>;

/** In the order in which a name is looked for. */
const kinds: Readonly<Record<string, Ask>> = {
  container: (client, name, size) => client.containers.inspectRaw(name, { size }),
  image: (client, name) => client.images.inspectRaw(name),
  network: (client, name) => client.networks.inspectRaw(name, { verbose: false }),
  volume: (client, name) => client.volumes.inspectRaw(name),
};

/** What only a swarm or a plugin has: looked for when it is asked for by its kind. */
const furtherPaths: Readonly<Record<string, (name: string) => string>> = {
  config: (name) => `/configs/${name}`,
  node: (name) => `/nodes/${name}`,
  plugin: (name) => `/plugins/${name}/json`,
  secret: (name) => `/secrets/${name}`,
  service: (name) => `/services/${name}`,
  task: (name) => `/tasks/${name}`,
};

function asking(kind: string): Ask | undefined {
  const path = furtherPaths[kind];
  return kinds[kind] ?? (path && ((client, name) => client.http.text("GET", path(encodeURIComponent(name)))));
}

export const inspect = command({
  usage: "[OPTIONS] NAME|ID [NAME|ID...]",
  args: atLeast(1),
  completes: "containers",
  flags: {
    format: text("f", objectFormat),
    size: bool("s", "Add the sizes of containers"),
    type: text(undefined, "Look among one kind only, such as container, image, network or volume"),
  },
  run: (invocation) => {
    const { flags, client } = invocation;
    const only = asking(flags.type);
    if (flags.type !== "" && !only)
      throw new ExitError(
        1,
        `unknown type: ${JSON.stringify(flags.type)}: must be one of ${Object.keys({ ...kinds, ...furtherPaths })
          .toSorted()
          .map((kind) => JSON.stringify(kind))
          .join(", ")}`,
      );
    return printInspections(invocation, invocation.args, async (name) =>
      only ? { kind: flags.type, text: await only(client, name, flags.size) } : inspectAny(client, name, flags.size),
    );
  },
});

async function inspectAny(client: Client, name: string, size: boolean): Promise<Inspection> {
  for (const [kind, ask] of Object.entries(kinds)) {
    try {
      return { kind, text: await ask(client, name, size) };
    } catch (error) {
      // A name that is no legal reference of an image is `invalid` there, and may be one of the next kind.
      if (!isKind(error, "not_found") && !(kind === "image" && isKind(error, "invalid"))) throw error;
    }
  }
  throw new Error(`Error: No such object: ${name}`);
}
