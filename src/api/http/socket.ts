import type { Duplex } from "node:stream";
import { ClientGone } from "./client-gone.ts";

const lingerMilliseconds = 5000;

/**
 * Writes with back-pressure: resolves when the next chunk has room. Nobody has to listen to a client that never reads: the promise
 * stays open until the connection closes.
 * @throws {ClientGone} when the connection is closed, before or meanwhile
 */
export async function writeTo(socket: Duplex, chunk: Uint8Array | string): Promise<void> {
  if (socket.destroyed || socket.writableEnded) throw new ClientGone();
  if (chunk.length === 0 || socket.write(chunk)) return;
  await new Promise<void>((resolve, reject) => {
    const settle = (): void => {
      socket.off("drain", settle);
      socket.off("close", settle);
      if (socket.destroyed) reject(new ClientGone());
      else resolve();
    };
    socket.on("drain", settle);
    socket.on("close", settle);
  });
}

/**
 * Ends our side, reads away what the client still sends, and closes for good once it has closed too, or after a while. Closing at
 * once would reset the connection on TCP, and the client could lose the end of the answer.
 */
export function endPatiently(socket: Duplex): void {
  if (socket.destroyed) return;
  const close = (): void => void socket.destroy();
  const timer = setTimeout(close, lingerMilliseconds);
  timer.unref();
  socket.once("end", close);
  socket.once("close", () => clearTimeout(timer));
  socket.end(() => {
    if (socket.readableEnded) close();
  });
  socket.resume();
}
