import { checkCgroups } from "./cgroups.ts";
import type { Check } from "./check.ts";
import { checkHost } from "./host.ts";
import { checkKernel } from "./kernel.ts";
import { checkPrograms } from "./programs.ts";

/** Everything the engine needs of its host, and what would make it better. Leaves nothing behind. */
export async function examineHost(dataRoot: string): Promise<Check[]> {
  const programs = checkPrograms();
  const kernel = process.getuid?.() === 0 ? await checkKernel(dataRoot) : []; // the probes need root, and checkHost says so
  return [...kernel, ...(await programs), ...checkCgroups(), ...checkHost(dataRoot)];
}
