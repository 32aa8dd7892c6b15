import { deferred, type Deferred } from "#lib/async.ts";
import { EngineError } from "#lib/errors.ts";
import { connectSeqpacket } from "#os/seqpacket.ts";
import { monitorFiles } from "./conmon.ts";
import type { StdinConnection } from "./types.ts";

/** conmon reads this much of a packet and drops the rest. */
const packetBytes = 32768;

/** Opens a way to the stdin of a container under conmon. The output side is shut, so that conmon never waits for us. */
export async function connectStdin(bundle: string): Promise<StdinConnection> {
  const descriptor = connectSeqpacket(monitorFiles.attach(bundle), true);
  let drained: Deferred<void> | undefined;
  let closed = false;
  const wake = (): void => {
    drained?.resolve();
    drained = undefined;
  };
  const options = {
    fd: descriptor,
    // With SHUT_RD the other side looks ended from the beginning: without these two Bun closes at once.
    allowHalfOpen: true,
    socket: {
      data() {},
      end() {},
      drain: wake,
      close() {
        closed = true;
        wake();
      },
      error() {},
    },
  };
  // Bun's types do not name `fd` beside `socket`.
  const socket = await Bun.connect(options as unknown as Bun.UnixSocketOptions);

  return {
    async write(chunk) {
      for (let offset = 0; offset < chunk.length; offset += packetBytes) {
        const packet = chunk.subarray(offset, offset + packetBytes);
        // A packet goes whole or not at all; an empty one would mean the end.
        while (!closed && socket.write(packet) <= 0) {
          drained ??= deferred<void>();
          await drained.promise;
        }
        if (closed) throw new EngineError("conflict", "the container's stdin is closed");
      }
    },
    end: () => socket.end(),
    close: () => socket.terminate(),
  };
}
