import { parseArgs } from "node:util";
import { messageOf } from "#lib/errors.ts";
import { bootstrapImage } from "./bootstrap.ts";

const flags = {
  output: { type: "string", default: "-" },
  mirror: { type: "string" },
  keyring: { type: "string" },
  variant: { type: "string" },
  components: { type: "string", multiple: true },
  include: { type: "string", multiple: true },
  timestamp: { type: "string" },
  cache: { type: "string" },
  quiet: { type: "boolean", default: false },
} as const;

/** `gantry internal bootstrap NAME --output FILE`: the archive to FILE, or to stdout. @returns the exit code */
export async function runBootstrap(args: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({ args: [...args], allowPositionals: true, options: flags });
    const [name = "", ...others] = positionals;
    if (others.length > 0) throw new Error(`one image is bootstrapped at a time: ${others.join(" ")}`);
    const { output, mirror, keyring, variant, components, include, timestamp, cache, quiet } = values;
    await bootstrapImage(name, {
      output,
      ...(mirror !== undefined && { mirror }),
      ...(keyring !== undefined && { keyring }),
      ...(variant !== undefined && { variant }),
      ...(components !== undefined && { components: listOf(components) }),
      ...(include !== undefined && { include: listOf(include) }),
      ...(timestamp !== undefined && { epochSeconds: parseTimestamp(timestamp) }),
      ...(cache !== undefined && { packageCache: cache }),
      ...(!quiet && { tell: (line: string) => console.error(line) }),
    });
    return 0;
  } catch (error) {
    console.error(messageOf(error));
    return 1;
  }
}

/** Flags that may be given several times, each with several values. */
const listOf = (values: readonly string[]): string[] => values.flatMap((value) => value.split(",")).filter(Boolean);

function parseTimestamp(text: string): number {
  if (!/^\d{1,10}$/.test(text)) throw new Error(`invalid timestamp ${JSON.stringify(text)}: seconds since 1970 are expected`);
  return Number(text);
}
