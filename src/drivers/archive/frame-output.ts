import { writeSync } from "node:fs";
import { frameHeadBytes, frameType } from "./protocol.ts";

/** Data goes in frames of this size, so that small entries cost no system call each. */
const dataBytes = 256 << 10;

/** Frames to the daemon, written by a process that may wait for it. */
export class FrameOutput {
  readonly #descriptor: number;
  readonly #buffer = Buffer.allocUnsafeSlow(frameHeadBytes + dataBytes);
  #filled = 0;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  result(value: unknown): void {
    this.#send(frameType.result, Buffer.from(JSON.stringify(value)));
  }

  failure(value: unknown): void {
    this.#filled = 0; // what follows a failure is of no use
    this.#send(frameType.failure, Buffer.from(JSON.stringify(value)));
  }

  end(): void {
    this.#flush();
    this.#send(frameType.end, Buffer.alloc(0));
  }

  data(bytes: Uint8Array): void {
    for (let start = 0; start < bytes.length;) {
      const piece = bytes.subarray(start, start + this.space().length);
      this.#buffer.set(piece, frameHeadBytes + this.#filled);
      this.take(piece.length);
      start += piece.length;
    }
  }

  /** Where the next bytes of data may be put; never empty. Told by {@link take}. */
  space(): Buffer {
    return this.#buffer.subarray(frameHeadBytes + this.#filled);
  }

  take(count: number): void {
    this.#filled += count;
    if (this.#filled === dataBytes) this.#flush();
  }

  #flush(): void {
    if (this.#filled === 0) return;
    this.#head(this.#buffer, frameType.data, this.#filled);
    this.#write(this.#buffer.subarray(0, frameHeadBytes + this.#filled));
    this.#filled = 0;
  }

  #send(type: number, payload: Buffer): void {
    const frame = Buffer.alloc(frameHeadBytes + payload.length);
    this.#head(frame, type, payload.length);
    frame.set(payload, frameHeadBytes);
    this.#write(frame);
  }

  #head(frame: Buffer, type: number, sizeBytes: number): void {
    frame.writeUInt8(type, 0);
    frame.writeUInt32LE(sizeBytes, 1);
  }

  #write(bytes: Buffer): void {
    for (let written = 0; written < bytes.length;) written += writeSync(this.#descriptor, bytes, written);
  }
}
