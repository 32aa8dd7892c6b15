import { EngineError } from "#lib/errors.ts";
import { libc } from "#os/libc.ts";
import { openPipe, PipeReader, PipeWriter, widenPipe } from "#os/process/pipe.ts";
import { helperEnvironment, selfCommand } from "#os/process/self.ts";
import { frameHeadBytes, frameType, maximumFrameBytes, type ArchiveFailure, type ArchiveRequest } from "./protocol.ts";

const pipeBytes = 1 << 20;

/** A piece of what a helper says. */
export type HelperFrame =
  { readonly type: "result"; readonly value: unknown } | { readonly type: "data"; readonly bytes: Uint8Array } | { readonly type: "end" };

/** It has ended without a word. */
export class HelperEnded extends EngineError {
  constructor() {
    super("internal", "the process that copies files has ended");
  }
}

/** What a helper has told. */
export class HelperFailure extends EngineError {
  /** It takes the next request. */
  readonly goesOn: boolean;
  constructor({ kind, message, goesOn }: ArchiveFailure) {
    super(kind, message);
    this.goesOn = goesOn;
  }
}

/** One helper process (`gantry internal archive`), seen from the daemon. It carries out one request at a time. */
export class ArchiveHelper {
  readonly #process: Bun.Subprocess;
  readonly #input: PipeWriter;
  readonly #output: PipeReader;
  #held: Uint8Array = new Uint8Array(0);
  #isAlive = true;

  /** @param onExit  called once, however it ends */
  constructor(onExit: (helper: ArchiveHelper) => void) {
    const requests = openPipe();
    const replies = openPipe();
    widenPipe(requests.write, pipeBytes);
    widenPipe(replies.read, pipeBytes);
    this.#process = Bun.spawn(selfCommand("internal", "archive"), {
      env: helperEnvironment(),
      stdio: [requests.read, replies.write, "ignore"],
      onExit: () => {
        this.#isAlive = false;
        onExit(this);
      },
    });
    libc.close(requests.read);
    libc.close(replies.write);
    this.#input = new PipeWriter(requests.write);
    this.#output = new PipeReader(replies.read);
  }

  get isAlive(): boolean {
    return this.#isAlive;
  }

  kill(): void {
    this.#isAlive = false;
    this.#process.kill("SIGKILL");
  }

  /** Resolves when the process is gone, and with it everything it held. */
  async close(): Promise<void> {
    this.kill();
    await this.#process.exited;
    await this.#input.close();
    await this.#output.close();
  }

  async begin(request: ArchiveRequest): Promise<void> {
    await this.#send(Buffer.from(JSON.stringify(request))).catch((error: unknown) => {
      if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error; // it has ended: the next read tells
    });
  }

  /** One piece of the archive that is to be unpacked. @throws ErrnoException `EPIPE` when the helper has ended */
  async send(chunk: Uint8Array): Promise<void> {
    for (let start = 0; start < chunk.length; start += maximumFrameBytes)
      await this.#send(chunk.subarray(start, start + maximumFrameBytes));
  }

  /** The archive has ended. */
  async endBody(): Promise<void> {
    await this.#send(new Uint8Array(0));
  }

  /** @throws {EngineError} as the helper told it, `internal` when it has ended without a word */
  async read(): Promise<HelperFrame> {
    const head = Buffer.from(await this.#take(frameHeadBytes));
    const type = head.readUInt8(0);
    const bytes = await this.#take(head.readUInt32LE(1));
    switch (type) {
      case frameType.result:
        return { type: "result", value: JSON.parse(Buffer.from(bytes).toString()) };
      case frameType.data:
        return { type: "data", bytes };
      case frameType.end:
        return { type: "end" };
      default: {
        const failure = JSON.parse(Buffer.from(bytes).toString()) as ArchiveFailure; // written by our own executable
        throw new HelperFailure(failure);
      }
    }
  }

  async #send(bytes: Uint8Array): Promise<void> {
    const length = Buffer.alloc(4);
    length.writeUInt32LE(bytes.length);
    await this.#input.write(length);
    await this.#input.write(bytes);
  }

  async #take(count: number): Promise<Uint8Array> {
    const pieces: Uint8Array[] = [];
    for (let missing = count; missing > 0;) {
      if (this.#held.length === 0) this.#held = await this.#more();
      const piece = this.#held.subarray(0, missing);
      this.#held = this.#held.subarray(piece.length);
      pieces.push(piece);
      missing -= piece.length;
    }
    return pieces.length === 1 && pieces[0] ? pieces[0] : Buffer.concat(pieces, count);
  }

  async #more(): Promise<Uint8Array> {
    const bytes = await this.#output.read();
    if (!bytes) throw new HelperEnded();
    return bytes;
  }
}
