/// Helpers of this program that a person's command needs: processes of their own, since they import what a client must not load.

/** Starts a helper whose stdout is read here. */
export function pipeInternal(args: readonly string[]): Bun.Subprocess<"ignore", "pipe", "inherit"> {
  return Bun.spawn(internalCommand(args), { stdio: ["ignore", "pipe", "inherit"] });
}

/** Compiled this is one executable, else Bun with src/main.ts. */
function internalCommand(args: readonly string[]): string[] {
  const self = Bun.main.startsWith("/$bunfs/") ? [process.execPath] : [process.execPath, Bun.main];
  return [...self, "internal", ...args];
}
