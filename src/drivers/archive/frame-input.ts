import { readSync } from "node:fs";
import { maximumFrameBytes } from "./protocol.ts";

/** Frames on a descriptor, read by a process that may wait: a length (four bytes, little-endian) and as many bytes. */
export class FrameInput {
  readonly #descriptor: number;
  readonly #length = Buffer.alloc(4);

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  /** Empty at the end of a body; undefined at the end of the pipe. The bytes are the caller's. */
  read(): Buffer<ArrayBuffer> | undefined {
    if (!this.#fill(this.#length)) return undefined;
    const sizeBytes = this.#length.readUInt32LE(0);
    if (sizeBytes > maximumFrameBytes) throw new Error(`frame of ${sizeBytes} bytes`);
    const frame = Buffer.allocUnsafeSlow(sizeBytes);
    return this.#fill(frame) ? frame : undefined;
  }

  /** The frames of one body. @throws when the pipe ends before it */
  *body(): Generator<Buffer<ArrayBuffer>, void> {
    for (;;) {
      const frame = this.read();
      if (!frame) throw new Error("the daemon has gone");
      if (frame.length === 0) return;
      yield frame;
    }
  }

  #fill(buffer: Buffer): boolean {
    for (let filled = 0; filled < buffer.length;) {
      const length = readSync(this.#descriptor, buffer, filled, buffer.length - filled, null);
      if (length === 0) return false;
      filled += length;
    }
    return true;
  }
}
