/// Helpers of this program that a person's command needs: processes of their own, since they import what a client must not load.

/** Starts a helper whose stdout is read here. */
export function pipeInternal(args: readonly string[]): Bun.Subprocess<"ignore", "pipe", "inherit"> {
  return Bun.spawn(internalCommand(args), { stdio: ["ignore", "pipe", "inherit"] });
}

/** Gives a helper one request as JSON, over its stdin, and reads its one answer. @throws {Error} when it ends without one */
export async function askInternal(args: readonly string[], request: unknown): Promise<unknown> {
  const stdin = new TextEncoder().encode(JSON.stringify(request));
  const child = Bun.spawn(internalCommand(args), { stdin, stdout: "pipe", stderr: "inherit" });
  const [text, code] = await Promise.all([new Response(child.stdout).text(), child.exited]);
  if (code !== 0 || text === "") throw new Error(`the helper ${args.join(" ")} has ended with ${code}`);
  return JSON.parse(text);
}

/** Compiled this is one executable, else Bun with src/main.ts. */
function internalCommand(args: readonly string[]): string[] {
  const self = Bun.main.startsWith("/$bunfs/") ? [process.execPath] : [process.execPath, Bun.main];
  return [...self, "internal", ...args];
}
