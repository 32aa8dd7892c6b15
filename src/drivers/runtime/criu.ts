import { childEnvironment } from "#os/process/self.ts";
import { criuReason } from "./criu-log.ts";

/**
 * Why criu cannot work on this host at all, in its own words; undefined when it can. It starts a process that looks at the kernel.
 * Source: criu(8), "check".
 */
export async function criuRefusal(): Promise<string | undefined> {
  const environment = childEnvironment();
  const path = Bun.which("criu", { PATH: environment["PATH"] ?? "" });
  if (path === null) return "criu was not found: install it with 'apt-get install criu'";
  const child = Bun.spawn([path, "check"], {
    stdio: ["ignore", "pipe", "pipe"],
    env: environment,
    timeout: limitMilliseconds,
    killSignal: "SIGKILL",
  });
  const [out, errors, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  if (code === 0) return undefined;
  return `criu: ${criuReason(errors + out) ?? (errors.trim() || `check ended with ${child.signalCode ?? code}`)}`;
}

/** It takes about a tenth of a second. */
const limitMilliseconds = 20_000;
