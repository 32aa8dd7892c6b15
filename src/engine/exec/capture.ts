import type { ExecOutput, PipedExec } from "#drivers/runtime/types.ts";

export interface CaptureLimits {
  /** From the moment the program runs. */
  readonly timeoutMilliseconds: number;
  /** Of both streams together; the rest is read and thrown away. */
  readonly outputBytes: number;
}

export interface Captured {
  readonly exitCode: number;
  /** Both streams as they came; ends with `...` where something is missing. */
  readonly output: string;
  readonly timedOut: boolean;
}

/** How long the runtime may take to become the program. Counted apart: a busy host is no fault of the program. */
const beginLimitMilliseconds = 10_000;
/** After the program's end, for what is still in the pipes: a child in the background may hold them open for ever. */
const drainLimitMilliseconds = 200;

/**
 * Waits for the end of an exec that nobody reads. It is killed, with all it has started, when its time is over or `signal` aborts.
 * @throws {StartError} when the program could not be run
 */
export async function captureExec(running: PipedExec, limits: CaptureLimits, signal: AbortSignal): Promise<Captured> {
  const output = new LimitedText(limits.outputBytes);
  const copies = Promise.all([copy(running.stdout, output), copy(running.stderr, output)]);
  let timedOut = false;
  const onTimeout = (): void => {
    timedOut = true;
    running.kill();
  };
  let ended = false;
  let timer = setTimeout(onTimeout, beginLimitMilliseconds + limits.timeoutMilliseconds);
  void running.pid.then(() => {
    clearTimeout(timer);
    if (!ended) timer = setTimeout(onTimeout, limits.timeoutMilliseconds);
  });
  const onAbort = (): void => running.kill();
  signal.addEventListener("abort", onAbort, { once: true });
  if (signal.aborted) onAbort();
  try {
    const exitCode = await running.exit;
    return { exitCode, output: await settled(copies, output), timedOut };
  } finally {
    ended = true;
    clearTimeout(timer);
    signal.removeEventListener("abort", onAbort);
    await Promise.all([running.stdout.close(), running.stderr.close()]);
  }
}

async function copy(from: ExecOutput, to: LimitedText): Promise<void> {
  for (let chunk = await from.read(); chunk; chunk = await from.read()) to.add(chunk);
}

async function settled(copies: Promise<unknown>, output: LimitedText): Promise<string> {
  let timer: ReturnType<typeof setTimeout> | undefined;
  const limit = new Promise<void>((resolve) => (timer = setTimeout(resolve, drainLimitMilliseconds)));
  await Promise.race([copies, limit]);
  clearTimeout(timer);
  return output.text;
}

/** The first bytes of a text. */
class LimitedText {
  readonly #limitBytes: number;
  readonly #chunks: Uint8Array[] = [];
  #sizeBytes = 0;
  #isCut = false;

  constructor(limitBytes: number) {
    this.#limitBytes = limitBytes;
  }

  add(chunk: Uint8Array): void {
    const room = this.#limitBytes - this.#sizeBytes;
    if (chunk.length > room) this.#isCut = true;
    if (room <= 0) return;
    const kept = chunk.slice(0, room);
    this.#chunks.push(kept);
    this.#sizeBytes += kept.length;
  }

  get text(): string {
    return Buffer.concat(this.#chunks).toString("utf8") + (this.#isCut ? "..." : "");
  }
}
