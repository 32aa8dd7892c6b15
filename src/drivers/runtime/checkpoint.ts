import { existsSync, mkdirSync, readFileSync } from "node:fs";
import { sleep } from "#lib/async.ts";
import { EngineError } from "#lib/errors.ts";
import { allPids, commandLine } from "#os/process/list.ts";
import { childEnvironment } from "#os/process/self.ts";
import { removeTree } from "#os/remove-tree.ts";
import type { RuntimeCommand } from "./conmon.ts";
import { criuRefusal } from "./criu.ts";
import { readCriuReason } from "./criu-log.ts";
import type { CheckpointRequest } from "./types.ts";

/** criu has written nothing down, or restored nothing: `not_implemented` where it cannot work at all, else `internal`. */
export class CheckpointFailure extends EngineError {}

/**
 * Has the runtime write down what a paused container is at. The container is left as it is, so that it is the daemon who decides when the
 * checkpoint counts: one that dies in the middle leaves the container as it was.
 * @throws {CheckpointFailure} with criu's own reason
 */
export async function writeCheckpoint(runtime: RuntimeCommand, request: CheckpointRequest): Promise<void> {
  const { id, bundle, imageFolder } = request;
  // Below the exec root, in memory: a full disk must not cost the reason.
  const work = `${bundle}/checkpoint`;
  mkdirSync(work, { recursive: true, mode: 0o700 });
  try {
    const log = `${work}/runtime.log`;
    const options = ["--image-path", imageFolder, "--work-path", work, "--leave-running"];
    // Nothing of it is ours to read: it goes on when the daemon dies.
    const child = Bun.spawn([runtime.path, "--root", runtime.rootFolder, "--log", log, "checkpoint", ...options, id], {
      stdio: ["ignore", "ignore", "ignore"],
      env: childEnvironment(runtime.environment),
    });
    const code = await child.exited;
    if (code === 0) return;
    throw await checkpointFailure(`${work}/dump.log`, runtimeMessage(log) ?? `the runtime ended with ${child.signalCode ?? code}`);
  } finally {
    removeTree(work);
  }
}

/**
 * @param criuLog  file with the reason
 * @param otherwise  what the runtime says
 */
export async function checkpointFailure(criuLog: string, otherwise: string): Promise<CheckpointFailure> {
  const refusal = await criuRefusal();
  const reason = await readCriuReason(criuLog);
  if (refusal === undefined) return new CheckpointFailure("internal", reason === undefined ? otherwise : `criu: ${reason}`);
  return new CheckpointFailure("not_implemented", reason === undefined ? refusal : `criu: ${reason}`);
}

/** The last line of a runtime's log: `time="…" level=error msg="…"` of runc, with the place where criu's log was; plain text of crun. */
function runtimeMessage(path: string): string | undefined {
  if (!existsSync(path)) return undefined; // it did not complain
  const line = readFileSync(path, "utf8").trim().split("\n").at(-1) ?? "";
  const quoted = /\bmsg=("(?:[^"\\]|\\.)*")/.exec(line)?.[1];
  const text = quoted === undefined ? line : String(JSON.parse(quoted));
  return text.replace(/\s*log file: .*/s, "") || undefined;
}

const pollMilliseconds = 50;

/** Waits for what an earlier daemon has begun: stopping criu in the middle would break the processes that it looks at. */
export async function untilCheckpointEnded(runtime: RuntimeCommand, id: string): Promise<void> {
  while (isBeingWritten(runtime, id)) await sleep(pollMilliseconds);
}

function isBeingWritten({ rootFolder }: RuntimeCommand, id: string): boolean {
  return allPids()
    .map(commandLine)
    .some((words) => words.includes("checkpoint") && words.includes(rootFolder) && words.includes(id));
}
