import type { Place } from "./place.ts";

const pullLimitMilliseconds = 15_000;

/** Makes sure that there is an image busybox: from a registry, or where none can be reached from the distribution's packages. */
export async function ensureFirstImage(executable: string, place: Place): Promise<void> {
  const gantry = clientOf(executable, place);
  if ((await gantry(["image", "inspect", "busybox"], { isQuiet: true })) === 0) return;
  console.error("getting a first image: busybox");
  if ((await gantry(["pull", "--quiet", "busybox"], { isQuiet: true, limitMilliseconds: pullLimitMilliseconds })) === 0) return;
  console.error("no registry can be reached: making it from this distribution's packages");
  if ((await gantry(["image", "bootstrap", "busybox"])) !== 0) throw new Error("there is no first image: see the messages above");
}

/** Runs the client of this place. The function returns the exit code. */
export function clientOf(executable: string, place: Place) {
  return (
    args: readonly string[],
    { isQuiet = false, limitMilliseconds }: { readonly isQuiet?: boolean; readonly limitMilliseconds?: number } = {},
  ): Promise<number> => {
    const output = isQuiet ? "ignore" : "inherit";
    const child = Bun.spawn([executable, "-H", place.host, ...args], {
      stdio: ["ignore", output, output],
      ...(limitMilliseconds !== undefined && { timeout: limitMilliseconds, killSignal: "SIGKILL" }),
    });
    return child.exited;
  };
}
