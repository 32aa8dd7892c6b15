import { criuRefusal } from "#drivers/runtime/criu.ts";
import type { ProgramVersion } from "./runtimes.ts";

/** Why a runtime writes no checkpoints, whatever criu can do here; undefined when it does. runc runs criu, crun has it built in or not. */
export function checkpointRefusal({ name, version, builtWith }: ProgramVersion): string | undefined {
  if (name !== "crun" || builtWith.includes("CRIU")) return undefined;
  return `crun ${version} is built without CRIU: make the container with --runtime runc`;
}

/**
 * Name of the runtime that a daemon with checkpoints takes when it was told none: runc where crun has no CRIU, if criu works here at all.
 * Undefined: the usual one.
 */
export async function runtimeForCheckpoints(
  crun: ProgramVersion | undefined,
  runc: ProgramVersion | undefined,
): Promise<string | undefined> {
  if (!crun || !runc || checkpointRefusal(crun) === undefined) return undefined;
  return (await criuRefusal()) === undefined ? runc.name : undefined;
}
