import { parseArgs } from "node:util";
import { messageOf } from "#lib/errors.ts";
import { bootstrapImage } from "./bootstrap.ts";

/** `gantry internal bootstrap NAME --output FILE`: the archive to FILE, or to stdout. @returns the exit code */
export async function runBootstrap(args: readonly string[]): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: { output: { type: "string", default: "-" }, mirror: { type: "string" }, quiet: { type: "boolean", default: false } },
    });
    const [name = "", ...others] = positionals;
    if (others.length > 0) throw new Error(`one image is bootstrapped at a time: ${others.join(" ")}`);
    await bootstrapImage(name, {
      output: values.output,
      ...(values.mirror !== undefined && { mirror: values.mirror }),
      ...(!values.quiet && { tell: (line: string) => console.error(line) }),
    });
    return 0;
  } catch (error) {
    console.error(messageOf(error));
    return 1;
  }
}
