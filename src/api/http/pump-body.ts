import type { Writable } from "node:stream";

type Chunk = Uint8Array | string;

/**
 * Sends a body as it comes, with back-pressure; empty chunks are left out.
 * @param frame  what goes onto the wire for a chunk
 * @returns false when the client has left
 * @throws what the body throws
 */
export async function pumpBody(body: AsyncIterable<Chunk>, to: Writable, frame: (chunk: Chunk) => Chunk): Promise<boolean> {
  const iterator = body[Symbol.asyncIterator]();
  for (;;) {
    // The body may wait for its next chunk for hours: a client that leaves ends the wait.
    const next = await unlessGone(to, () => iterator.next());
    if (!next) {
      // A generator in the middle of a wait ends when the wait does, for its signal aborts too. Nobody waits for that here.
      iterator.return?.().catch(() => {});
      return false;
    }
    if (next.done) return true;
    if (next.value.length > 0 && !to.write(frame(next.value)))
      await unlessGone(to, () => new Promise((resolve) => to.once("drain", resolve)));
  }
}

/** The result of a wait, or undefined when the client leaves first. */
async function unlessGone<T>(to: Writable, wait: () => Promise<T>): Promise<T | undefined> {
  if (to.destroyed) return undefined;
  let leave = (): void => {};
  const gone = new Promise<undefined>((resolve) => to.once("close", (leave = () => resolve(undefined))));
  try {
    return await Promise.race([wait(), gone]);
  } finally {
    to.off("close", leave);
  }
}
