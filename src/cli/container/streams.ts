import type { ByteStream } from "#client/byte-stream.ts";
import type { Invocation } from "../command.ts";
import { demultiplex } from "./demultiplex.ts";
import { DetachKeys, parseDetachKeys } from "./detach-keys.ts";

export type StreamsOutcome = "ended" | "detached";

export interface StreamsOptions {
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
  readonly tty: boolean;
  /** Empty: those of config.json, else ctrl-p,ctrl-q. */
  readonly detachKeys: string;
  /** The program runs already: it is made to draw its screen again. */
  readonly redraws?: boolean;
  /** Called with the terminal's size now and whenever it changes. */
  readonly resize?: ((size: { readonly rows: number; readonly columns: number }) => Promise<void>) | undefined;
}

/** Our own streams, tied to those of a container. */
export interface Attached extends AsyncDisposable {
  /** The daemon has started the container with the attach. */
  readonly isStarted: boolean;
  /** Resolves when the container's output has ended and was written, or the detach keys were typed. */
  done(): Promise<StreamsOutcome>;
  /** Cuts the connection. */
  stop(): void;
}

type Surroundings = Pick<Invocation, "client" | "config" | "out" | "err" | "isTerminal">;

/** Attaches to a container, which may be started afterwards. */
export async function attachStreams(
  invocation: Surroundings,
  options: StreamsOptions & { readonly container: string; readonly start?: boolean },
): Promise<Attached> {
  const { client } = invocation;
  const { container } = options;
  const detachKeys = options.detachKeys || (options.tty ? ((await invocation.config()).detachKeys ?? "") : "");
  const { stdin, stdout, stderr, start } = options;
  const { stream, isStarted } = await client.containers.attach(container, { stdin, stdout, stderr, start, detachKeys });
  const tied = tie(invocation, stream, {
    ...options,
    detachKeys,
    resize: (size) => client.containers.resize(container, size),
  });
  return { ...tied, isStarted };
}

/** Ties our streams to an open connection of a container or an exec. */
export function tie(invocation: Surroundings, stream: ByteStream, options: StreamsOptions): Omit<Attached, "isStarted"> {
  const releases: (() => void)[] = [];
  const output = copyOutput(invocation, stream, options);
  output.catch(() => {}); // reported by done()
  const detached = copyInput(invocation, stream, options, releases);
  const watching = watchSize(invocation, options, releases);
  watching.catch(() => {}); // without a size the terminal has the one it was made with
  return {
    done: async () => {
      const outcome = await Promise.race([output, detached]);
      for (const release of releases.splice(0)) release(); // the terminal is itself again before anything else is printed
      return outcome;
    },
    stop: () => stream.close(),
    [Symbol.asyncDispose]: async () => {
      for (const release of releases.splice(0)) release();
      stream.close();
    },
  };
}

async function copyOutput({ out, err }: Surroundings, stream: ByteStream, options: StreamsOptions): Promise<StreamsOutcome> {
  if (!options.stdout && !options.stderr && options.stdin) return new Promise(() => {}); // only stdin: it ends the streams
  if (!options.tty) await demultiplex(chunksOf(stream), out, err);
  else for await (const chunk of chunksOf(stream)) await out.write(chunk);
  return "ended";
}

async function* chunksOf(stream: ByteStream): AsyncGenerator<Uint8Array, void> {
  for (let chunk = await stream.read(); chunk; chunk = await stream.read()) yield chunk;
}

/** Copies stdin until its end. Resolves when the detach keys were typed, or when stdin was all there was to copy; else never. */
async function copyInput(
  invocation: Surroundings,
  stream: ByteStream,
  options: StreamsOptions,
  releases: (() => void)[],
): Promise<StreamsOutcome> {
  if (!options.stdin) return new Promise(() => {});
  let keys: DetachKeys | undefined;
  if (options.tty && (await invocation.isTerminal(0))) {
    const { rawTerminal } = await import("../terminal.ts");
    const raw = rawTerminal();
    releases.push(() => raw[Symbol.dispose]());
    keys = new DetachKeys(parseDetachKeys(options.detachKeys));
  }
  try {
    for await (const chunk of Bun.stdin.stream()) {
      const typed = keys?.push(chunk);
      await stream.write(typed?.pass ?? chunk);
      if (typed?.isDetached) return "detached";
    }
    stream.endWrite();
  } catch {
    // The other side has closed: what that means is told by its output and exit code.
  }
  return options.stdout || options.stderr ? new Promise(() => {}) : "ended";
}

async function watchSize(invocation: Surroundings, options: StreamsOptions, releases: (() => void)[]): Promise<void> {
  const { resize } = options;
  if (!options.tty || !resize || !(await invocation.isTerminal(1))) return;
  const { terminalSize } = await import("../terminal.ts");
  const tell = (): void => {
    const size = terminalSize(1);
    if (size) resize(size).catch(() => {}); // the container may have ended, or not have begun
  };
  process.on("SIGWINCH", tell);
  // A container that is being started answers 409 until it runs; some tries in its first second find that moment.
  const retries = [10, 50, 100, 200, 500, 1000].map((delay) => setTimeout(tell, delay));
  releases.push(() => {
    process.off("SIGWINCH", tell);
    for (const retry of retries) clearTimeout(retry);
  });
  const size = terminalSize(1);
  // A program that is told a size it has already draws nothing: it is told another one first.
  if (options.redraws && size) await resize({ rows: size.rows + 1, columns: size.columns + 1 }).catch(() => {});
  tell();
}
