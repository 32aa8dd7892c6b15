import { abortion, Semaphore } from "#lib/async.ts";
import { EngineError } from "#lib/errors.ts";
import { ArchiveHelper, HelperEnded, HelperFailure } from "./helper.ts";
import type { FileChange } from "../snapshot/types.ts";
import type { ArchiveRequest, ChangesRequest, ExportRequest, ExtractRequest, PackRequest, PathStat, StatRequest } from "./protocol.ts";

/** Copies at once; more of them wait for one to end. */
const maximumCopies = 64;
/** A person or a script that copies a file often copies more. */
const idleMilliseconds = 30_000;
const maximumIdle = 2;

/** The work once the request was found good. @param ending  aborts when the client leaves or the daemon ends */
type CopyBody<T> = (helper: ArchiveHelper, found: PathStat, ending: AbortSignal) => Promise<T>;

/** An archive on its way out. Ended by reading to the end, or by `return()`. */
export interface PackedArchive {
  readonly stat: PathStat;
  readonly body: AsyncIterable<Uint8Array>;
}

/**
 * The processes that copy into and out of containers. A copy has a process for itself, which is killed when its client leaves; one that
 * has done its work waits a while for the next. All that a process has of a container are descriptors: they go with it.
 */
export class ArchiveHelpers {
  readonly #slots = new Semaphore(maximumCopies);
  readonly #idle: ArchiveHelper[] = [];
  readonly #all = new Set<ArchiveHelper>();
  #idleTimer: ReturnType<typeof setTimeout> | undefined;
  readonly #closing = new AbortController();

  /** @throws {EngineError} `not_found`, `invalid` with Docker's texts */
  async stat(request: StatRequest, signal: AbortSignal): Promise<PathStat> {
    return this.#exclusive(request, signal, async (helper, stat) => {
      await helper.read();
      return stat;
    });
  }

  /**
   * Sends an archive to be unpacked.
   * @param body  read only when the request was found good
   * @throws {EngineError} `not_found`, `invalid`, `forbidden`, `unavailable`
   */
  async extract(request: ExtractRequest, body: AsyncIterable<Uint8Array>, signal: AbortSignal): Promise<void> {
    await this.#exclusive(request, signal, async (helper) => {
      const reply = helper.read(); // a failure comes before the body's end
      reply.catch(() => undefined);
      await Promise.race([reply, sendBody(helper, body)]);
      await reply;
    });
  }

  /** What an upper folder changes over its layers. */
  async changes(request: ChangesRequest, signal: AbortSignal): Promise<readonly FileChange[]> {
    return this.#exclusive(request, signal, async (helper) => {
      const pieces: Uint8Array[] = [];
      for await (const piece of new ArchiveStream(helper)) pieces.push(piece);
      return JSON.parse(Buffer.concat(pieces).toString()) as readonly FileChange[]; // written by our own executable
    });
  }

  /** Resolves when the path was found; the archive then comes as fast as it is read. `done` is called once it is over, however. */
  pack(request: PackRequest | ExportRequest, signal: AbortSignal, done: () => Promise<void>): Promise<PackedArchive> {
    const { promise, resolve, reject } = Promise.withResolvers<PackedArchive>();
    // The slot is held until the last byte.
    const copying = this.#exclusive(request, signal, async (helper, stat, ending) => {
      const stream = new ArchiveStream(helper);
      resolve({ stat, body: stream });
      // A client that has left before it read anything does not even end the stream.
      const aborted = abortion(ending);
      await Promise.race([stream.ended, aborted.promise]).finally(() => aborted.dispose());
    });
    copying.then(undefined, reject).finally(() => void done());
    return promise;
  }

  /** Ends all copies. */
  async close(): Promise<void> {
    this.#closing.abort(new EngineError("unavailable", "the daemon is about to end"));
    clearTimeout(this.#idleTimer);
    await Promise.all([...this.#all].map((helper) => helper.close()));
  }

  #exclusive<T>(request: ArchiveRequest, signal: AbortSignal, body: CopyBody<T>): Promise<T> {
    const ending = AbortSignal.any([signal, this.#closing.signal]);
    return this.#slots.run(async () => {
      for (;;) {
        ending.throwIfAborted();
        const waiting = this.#takeIdle();
        try {
          return await this.#carryOut(waiting ?? this.#spawn(), request, ending, body);
        } catch (error) {
          // It ended while it waited, before it was told anything.
          if (!waiting || !(error instanceof HelperEnded)) throw error;
        }
      }
    });
  }

  async #carryOut<T>(helper: ArchiveHelper, request: ArchiveRequest, signal: AbortSignal, body: CopyBody<T>): Promise<T> {
    const kill = (): void => helper.kill();
    signal.addEventListener("abort", kill, { once: true });
    try {
      await helper.begin(request);
      const found = result(await helper.read());
      const value = await body(helper, found, signal).catch(withoutRetry);
      this.#giveBack(helper);
      return value;
    } catch (error) {
      if (error instanceof HelperFailure && error.goesOn) this.#giveBack(helper);
      // Nobody knows what is still in its pipes. What it holds of the container goes before others are told.
      else await helper.close();
      signal.throwIfAborted();
      throw error;
    } finally {
      signal.removeEventListener("abort", kill);
    }
  }

  #takeIdle(): ArchiveHelper | undefined {
    for (let helper = this.#idle.pop(); helper; helper = this.#idle.pop()) if (helper.isAlive) return helper;
    return undefined;
  }

  #spawn(): ArchiveHelper {
    const helper = new ArchiveHelper((ended) => this.#forget(ended));
    this.#all.add(helper);
    return helper;
  }

  #giveBack(helper: ArchiveHelper): void {
    if (!helper.isAlive || this.#closing.signal.aborted || this.#idle.length >= maximumIdle) return void helper.close();
    this.#idle.push(helper);
    clearTimeout(this.#idleTimer);
    this.#idleTimer = setTimeout(() => this.#endIdle(), idleMilliseconds);
    this.#idleTimer.unref();
  }

  #endIdle(): void {
    for (const helper of this.#idle.splice(0)) void helper.close();
  }

  /** What one has said before its end may still be in its pipe: whoever uses it reads on, and closes it. */
  #forget(helper: ArchiveHelper): void {
    this.#all.delete(helper);
    const position = this.#idle.indexOf(helper);
    if (position < 0) return;
    this.#idle.splice(position, 1);
    void helper.close();
  }
}

/** Part of the work is done: it cannot be begun again with another helper. */
function withoutRetry(error: unknown): never {
  throw error instanceof HelperEnded ? new EngineError("internal", error.message, { cause: error }) : error;
}

/** A helper that has met an error no longer reads; what it has to say is told by the next read. */
async function sendBody(helper: ArchiveHelper, body: AsyncIterable<Uint8Array>): Promise<void> {
  try {
    for await (const chunk of body) {
      if (!helper.isAlive) return;
      await helper.send(chunk);
    }
    await helper.endBody();
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EPIPE") throw error;
  }
}

function result(frame: Awaited<ReturnType<ArchiveHelper["read"]>>): PathStat {
  if (frame.type !== "result") throw new Error(`unexpected ${frame.type} from the process that copies files`);
  return frame.value as PathStat; // written by our own executable
}

/** The archive as it comes from a helper. Being left before its end, even before its beginning, ends it. */
class ArchiveStream implements AsyncIterableIterator<Uint8Array> {
  readonly ended: Promise<void>;
  readonly #helper: ArchiveHelper;
  readonly #end = Promise.withResolvers<void>();

  constructor(helper: ArchiveHelper) {
    this.#helper = helper;
    this.ended = this.#end.promise;
    this.ended.catch(() => undefined); // the reader is told the same
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async next(): Promise<IteratorResult<Uint8Array>> {
    try {
      const frame = await this.#helper.read();
      if (frame.type === "data") return { done: false, value: frame.bytes };
      this.#end.resolve();
      return { done: true, value: undefined };
    } catch (error) {
      this.#end.reject(error);
      throw error;
    }
  }

  async return(): Promise<IteratorResult<Uint8Array>> {
    this.#end.reject(new Error("the archive was left before its end"));
    return { done: true, value: undefined };
  }
}
