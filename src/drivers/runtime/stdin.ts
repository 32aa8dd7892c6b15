import { constants, lstatSync, openSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { deferred, sleep, type Deferred } from "#lib/async.ts";
import { EngineError } from "#lib/errors.ts";
import { libc } from "#os/libc.ts";
import { PipeWriter } from "#os/process/pipe.ts";
import { connectSeqpacket, endSeqpacketInput } from "#os/seqpacket.ts";
import { monitorFiles, syncPipeDescriptor } from "./conmon.ts";
import type { StdinConnection, StdinRequest } from "./types.ts";

/** conmon reads this much of a packet and drops the rest. */
const packetBytes = 32768;
const monitorPatienceMilliseconds = 10_000;

/** Opens a way to the stdin of a container under conmon. */
export function connectStdin({ bundle, tty, once }: StdinRequest): Promise<StdinConnection> {
  return tty ? connectTerminal(bundle) : Promise.resolve(openStdinPipe(bundle, once));
}

/** Input of a terminal goes through conmon, which holds the master. The output side is shut, so that conmon never waits for us. */
async function connectTerminal(bundle: string): Promise<StdinConnection> {
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

/**
 * Without a terminal stdin is a pipe of conmon's, and we write into it ourselves: one copy less, and the end is ours to tell. conmon cannot
 * be trusted with it: up to 2.2 it looks into memory it has freed when a client ends whose output side is shut, and then leaves the pipe open.
 * @param once  the end of our input is the end of the container's: conmon lets go of its own end now
 */
function openStdinPipe(bundle: string, once: boolean): StdinConnection {
  const monitorPid = Number(readFileSync(monitorFiles.monitorPid(bundle), "utf8"));
  const pipe = findStdinPipe(monitorPid);
  // Nobody reads it any more.
  if (!pipe) return { write: () => Promise.reject(closedInput()), end() {}, close() {} };
  if (once) void letMonitorDropStdin(bundle, pipe.path, pipe.link);
  const writer = new PipeWriter(pipe.descriptor);
  const close = (): void => void writer.close();
  return { write: (chunk) => writer.write(chunk), end: close, close };
}

function closedInput(): EngineError {
  return new EngineError("conflict", "the container's stdin is closed");
}

interface StdinPipe {
  readonly path: string;
  readonly link: string;
  readonly descriptor: number;
}

/** Besides its sync pipe conmon writes to one pipe only. Opening a pipe that nobody reads any more fails with ENXIO (fifo(7)). */
function findStdinPipe(monitorPid: number): StdinPipe | undefined {
  const folder = `/proc/${monitorPid}/fd`;
  for (const name of readdirSync(folder)) {
    if (name === syncPipeDescriptor) continue;
    const path = `${folder}/${name}`;
    try {
      const link = readlinkSync(path);
      // The mode of the link is that of the descriptor (proc(5)).
      if (!link.startsWith("pipe:") || (lstatSync(path).mode & 0o600) !== 0o200) continue;
      return { path, link, descriptor: openSync(path, constants.O_WRONLY | constants.O_NONBLOCK) };
    } catch {
      continue; // no reader, or closed since the folder was read
    }
  }
  return undefined;
}

/**
 * Ends an attach connection, on which conmon closes its end of a StdinOnce pipe. The connection's output side stays open until it has done
 * so: a write of conmon's that fails in between would lead it into the freed memory.
 */
async function letMonitorDropStdin(bundle: string, path: string, link: string): Promise<void> {
  let connection: number;
  try {
    connection = connectSeqpacket(monitorFiles.attach(bundle), false);
  } catch {
    return; // the container has ended meanwhile
  }
  try {
    endSeqpacketInput(connection);
    const end = performance.now() + monitorPatienceMilliseconds;
    while (isOpen(path, link) && performance.now() < end) await sleep(1);
  } finally {
    libc.close(connection);
  }
}

function isOpen(path: string, link: string): boolean {
  try {
    return readlinkSync(path) === link;
  } catch {
    return false; // closed, or conmon is gone
  }
}
