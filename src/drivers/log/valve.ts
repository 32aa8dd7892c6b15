import { connectSeqpacket } from "#os/seqpacket.ts";

/** The part of Bun's socket that is used. */
interface PausableSocket {
  pause(): void;
  resume(): void;
  terminate(): void;
}

/**
 * Holds a container back: an attach connection to its conmon that is not read. conmon writes each piece to it with a blocking write, so
 * after 221 KB conmon waits, and then the container. Made when first needed; what comes through it while open is thrown away, for all output
 * is read from the spool. If the daemon dies the connection dies with it and the container goes on.
 */
export class Valve {
  readonly #attachSocket: string;
  readonly #reasons = new Set<string>();
  #socket: PausableSocket | undefined;
  #connecting = false;
  #released = false;
  #closed = false;

  constructor(attachSocket: string) {
    this.#attachSocket = attachSocket;
  }

  /** Shut while at least one reason holds. */
  hold(reason: string, on: boolean): void {
    if (on) this.#reasons.add(reason);
    else this.#reasons.delete(reason);
    this.#apply();
  }

  /** Open for good: a shut valve would keep conmon from telling the exit. */
  release(): void {
    this.#released = true;
    this.#apply();
  }

  /** Not before the container has ended: the end of a connection may close its stdin. */
  close(): void {
    this.#closed = true;
    this.#socket?.terminate();
    this.#socket = undefined;
  }

  get #shut(): boolean {
    return !this.#released && this.#reasons.size > 0;
  }

  #apply(): void {
    if (this.#closed) return;
    if (!this.#socket) {
      if (this.#shut && !this.#connecting) void this.#connect();
    } else if (this.#shut) this.#socket.pause();
    else this.#socket.resume();
  }

  async #connect(): Promise<void> {
    this.#connecting = true;
    try {
      const options = {
        fd: connectSeqpacket(this.#attachSocket, false),
        socket: { data() {}, close: () => (this.#socket = undefined), error() {} },
      };
      // Bun's types do not name `fd` beside `socket`.
      this.#socket = await Bun.connect(options as unknown as Bun.UnixSocketOptions);
      if (this.#closed) this.close();
      else this.#apply();
    } catch {
      // The container has ended, or is not there yet: nobody to hold back.
    } finally {
      this.#connecting = false;
    }
  }
}
