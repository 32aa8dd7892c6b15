import { availableParallelism } from "node:os";
import { Semaphore } from "#lib/async.ts";
import { EngineError } from "#lib/errors.ts";
import { helperEnvironment, selfCommand } from "#os/process/self.ts";
import type { HelperCommand, HelperCommands, HelperReply } from "./helper-protocol.ts";

/** A diff of a million paths has about 100 MB. */
const maximumReplyBytes = 256 << 20;
const maximumMessageBytes = 4096;

/** Runs the work that hashes, packs and unpacks in processes of our own, at most one per core at once; the others wait in order. */
export class HelperPool {
  readonly #slots = new Semaphore(availableParallelism());

  /**
   * Starts `gantry internal COMMAND`, gives it the request on stdin and reads its one line. The process is killed when the signal aborts; what
   * it wrote until then is the caller's to remove.
   * @throws {EngineError} as the helper told it; the signal's reason when aborted
   */
  async run<Command extends HelperCommand>(
    command: Command,
    request: HelperCommands[Command]["request"],
    signal: AbortSignal,
  ): Promise<HelperCommands[Command]["result"]> {
    return this.#slots.run(async () => {
      signal.throwIfAborted();
      const child = Bun.spawn(selfCommand("internal", command), {
        env: helperEnvironment(),
        stdin: Buffer.from(JSON.stringify(request)),
        stdout: "pipe",
        stderr: "pipe",
        signal,
        killSignal: "SIGKILL",
      });
      const [output, message] = await Promise.all([
        readAtMost(child.stdout, maximumReplyBytes),
        readAtMost(child.stderr, maximumMessageBytes),
        child.exited,
      ]);
      signal.throwIfAborted();
      return parseReply<Command>(command, output, message, child.exitCode ?? -1);
    });
  }
}

function parseReply<Command extends HelperCommand>(
  command: Command,
  output: string,
  message: string,
  exitCode: number,
): HelperCommands[Command]["result"] {
  if (!output.endsWith("\n")) throw new EngineError("internal", `helper ${command} failed with code ${exitCode}: ${message.trim()}`);
  const reply = JSON.parse(output) as HelperReply<Command>; // written by our own executable
  if ("error" in reply) throw new EngineError(reply.error.kind, reply.error.message);
  return reply.result;
}

/** Reads to the end, so that the child never waits, and keeps the beginning. */
async function readAtMost(stream: ReadableStream<Uint8Array>, limitBytes: number): Promise<string> {
  const pieces: Uint8Array[] = [];
  let kept = 0;
  for await (const piece of stream) {
    if (kept >= limitBytes) continue;
    pieces.push(piece.subarray(0, limitBytes - kept));
    kept += piece.length;
  }
  return Buffer.concat(pieces).toString();
}
