import { instancePaths } from "#lib/instance.ts";
import type { ContainerDependencies } from "../dependencies.ts";

const prefix = "check-";

/** Name of a check's folder: tells a daemon that comes later what it was. */
export function checkFolder(execId: string): string {
  return prefix + execId;
}

/** Ends a check that a daemon has left when it was killed; an exec of somebody else runs on. @param folder  name of an exec's folder */
export function endLeftCheck(deps: Pick<ContainerDependencies, "containers" | "instance" | "runtimes">, folder: string): void {
  if (!folder.startsWith(prefix)) return;
  const isOurs = (id: string): boolean => deps.containers.peek(id) !== undefined;
  for (const runtime of deps.runtimes.values()) runtime.endLeftExec(instancePaths(deps.instance).exec(folder), isOurs);
}
