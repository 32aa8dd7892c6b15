import { closeSync, constants, openSync, writeSync } from "node:fs";
import { sleep } from "#lib/async.ts";
import { libc } from "#os/libc.ts";
import { monitorFiles } from "./conmon.ts";

const FIONREAD = 0x541b;
const waitLimitMilliseconds = 1000;

/** The last wanted size per bundle while one is on its way: conmon handles one message of a read twice and drops the next. */
const wanted = new Map<string, { height: number; width: number }>();

/** Sets the size of a container's terminal by conmon's control fifo. Sizes that come faster than conmon reads are merged, the last wins. */
export async function resizeTerminal(bundle: string, width: number, height: number): Promise<void> {
  const under = wanted.has(bundle);
  wanted.set(bundle, { height, width });
  if (under) return; // the writer below takes the newest
  let fifo: number | undefined;
  try {
    fifo = await openControl(bundle);
    for (;;) {
      await untilRead(fifo);
      const size = wanted.get(bundle);
      if (!size) return;
      writeSync(fifo, `1 ${size.height} ${size.width}\n`);
      await untilRead(fifo);
      if (wanted.get(bundle) === size) return;
    }
  } finally {
    wanted.delete(bundle);
    if (fifo !== undefined) closeSync(fifo);
  }
}

/** Clients resize right after a start: the monitor may still be on its way to make the fifo. */
async function openControl(bundle: string): Promise<number> {
  for (const end = performance.now() + waitLimitMilliseconds; ; await sleep(5)) {
    try {
      return openSync(monitorFiles.control(bundle), constants.O_RDWR | constants.O_NONBLOCK);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOENT" || performance.now() > end) throw error;
    }
  }
}

async function untilRead(fifo: number): Promise<void> {
  const pending = Buffer.alloc(4);
  for (const end = performance.now() + waitLimitMilliseconds; performance.now() < end; await sleep(1)) {
    if (libc.ioctl(fifo, FIONREAD, pending) < 0 || pending.readInt32LE(0) === 0) return;
  }
}
