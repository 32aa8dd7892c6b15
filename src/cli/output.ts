/**
 * Where a command prints. Tests give one that keeps the text. Bytes are written as they are: a container's own output, and the movements of our
 * progress bars. Text may hold what others have chosen, and loses its control characters on a terminal.
 */
export interface Output {
  /** Resolves when they may be followed by more: a slow reader holds the writer back. */
  write(chunk: string | Uint8Array): Promise<void>;
  /** Text and a line end. */
  line(text: string): Promise<void>;
}

/** Thrown when the reader of our output has gone (`gantry ps | head -1`): the program ends silently, as SIGPIPE would end it. */
export class BrokenPipe extends Error {}

/**
 * An output over a file descriptor. Made of Bun's writer: process.stdout costs a client ten milliseconds of start-up.
 * @param isTerminal  whether the file is one; asked only when there is something to take away
 */
export function fileOutput(file: Bun.BunFile, isTerminal: () => Promise<boolean>): Output & { end(): Promise<void> } {
  let sink: Bun.FileSink | undefined;
  let isBroken = false;
  const write = async (given: string | Uint8Array): Promise<void> => {
    if (isBroken) throw new BrokenPipe();
    const chunk = typeof given === "string" && withoutControls(given) !== given && (await isTerminal()) ? withoutControls(given) : given;
    sink ??= file.writer();
    try {
      // While an earlier write waits for the reader, this one is a promise too; unawaited, its failure would end the program.
      const [written, flushed] = [sink.write(chunk), sink.flush()] as const;
      await Promise.all([written, flushed]);
    } catch (error) {
      isBroken = isBrokenPipe(error);
      throw isBroken ? new BrokenPipe() : error;
    }
  };
  return {
    write,
    line: (text) => write(`${text}\n`),
    end: async () => {
      if (!isBroken) await sink?.flush();
    },
  };
}

const isBrokenPipe = (error: unknown): boolean => error instanceof Error && "code" in error && error.code === "EPIPE";

/** Keeps everything as text; for tests. */
export function memoryOutput(): Output & { readonly text: string } {
  const decoder = new TextDecoder();
  let text = "";
  const write = (chunk: string | Uint8Array): Promise<void> => {
    text += typeof chunk === "string" ? chunk : decoder.decode(chunk, { stream: true });
    return Promise.resolve();
  };
  return {
    write,
    line: (line) => write(`${line}\n`),
    get text() {
      return text;
    },
  };
}

/** Takes away what could move the cursor, change colours or speak to the terminal. For text made by others, on a terminal. */
export function withoutControls(text: string): string {
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, "");
}
