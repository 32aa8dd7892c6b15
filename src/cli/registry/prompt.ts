import type { Invocation } from "../command.ts";
import { ExitError } from "../errors.ts";
import { hideInput } from "../terminal-ffi.ts";

const maximumLength = 4096;

/** Asks for a line on stdin. @throws {ExitError} 0 when the user interrupts; {Error} when stdin ends before one */
export async function askLine(invocation: Pick<Invocation, "out">, question: string): Promise<string> {
  return (await ask(invocation, question)).trim();
}

/** Asks for a line that is not shown; the terminal shows keys again however it ends. @throws as `askLine` */
export async function askSecret(invocation: Pick<Invocation, "out">, question: string): Promise<string> {
  const restore = hideInput(0);
  process.on("exit", () => restore?.());
  try {
    const line = await ask(invocation, question);
    await invocation.out.write("\n");
    return line;
  } finally {
    restore?.();
  }
}

async function ask({ out }: Pick<Invocation, "out">, question: string): Promise<string> {
  await out.write(question);
  const interrupted = Promise.withResolvers<undefined>();
  const interrupt = (): void => interrupted.resolve(undefined);
  process.on("SIGINT", interrupt);
  process.on("SIGTERM", interrupt);
  try {
    const line = await Promise.race([lines.next(), interrupted.promise]);
    if (line !== undefined) return line;
    await out.write("\n"); // the line of the question ends
    throw new ExitError(0);
  } finally {
    process.off("SIGINT", interrupt);
    process.off("SIGTERM", interrupt);
  }
}

/** Stdin line by line: what was read beyond one line is the next one's. */
class InputLines {
  #chunks: AsyncIterator<Uint8Array> | undefined;
  readonly #decoder = new TextDecoder();
  #held = "";

  async next(): Promise<string> {
    for (;;) {
      const end = this.#held.indexOf("\n");
      if (end >= 0) {
        const line = this.#held.slice(0, end);
        this.#held = this.#held.slice(end + 1);
        return line.replace(/\r$/, "");
      }
      if (this.#held.length > maximumLength) throw new Error("the line is too long");
      this.#chunks ??= Bun.stdin.stream()[Symbol.asyncIterator]();
      const next = await this.#chunks.next();
      if (next.done) return this.#rest();
      this.#held += this.#decoder.decode(next.value, { stream: true });
    }
  }

  #rest(): string {
    const rest = this.#held;
    this.#held = "";
    if (rest === "") throw new Error("EOF");
    return rest;
  }
}

const lines = new InputLines();
