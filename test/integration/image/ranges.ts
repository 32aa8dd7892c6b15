import type { IncomingMessage, ServerResponse } from "node:http";

/** How a storage behind a registry gives out one blob. */
export interface RangedBlob {
  readonly digest: string;
  readonly bytes: Buffer;
  /** Of one connection, by how many there are; as fast as it can when absent. */
  readonly bytesPerSecond?: (connections: number) => number;
  /** Answers a request itself, or changes it. @param count  of requests before this one */
  readonly lie?: (range: { readonly start: number; readonly end: number }, response: ServerResponse, count: number) => boolean;
}

const tickMilliseconds = 20;

/** Serves parts of a blob, each connection at its own pace, and counts what it does. */
export class RangedStorage {
  readonly #blob: RangedBlob;
  readonly ranges: (string | undefined)[] = [];
  readonly #running = new Set<ServerResponse>();
  mostOpen = 0;
  sentBytes = 0;

  constructor(blob: RangedBlob) {
    this.#blob = blob;
  }

  get open(): number {
    return this.#running.size;
  }

  /** For `TestRegistry.lie`. */
  readonly answer = (request: IncomingMessage, response: ServerResponse): boolean => {
    const { digest, bytes, lie } = this.#blob;
    if (request.method !== "GET" || !request.url?.includes(digest)) return false;
    const { range } = request.headers;
    const [, first, last] = /^bytes=(\d+)-(\d*)$/.exec(range ?? "") ?? [];
    const start = Number(first ?? 0);
    const end = last ? Number(last) + 1 : bytes.length;
    const count = this.ranges.push(range) - 1;
    this.#count(response);
    if (lie?.({ start, end }, response, count)) return true;
    const head = { "content-length": end - start, "accept-ranges": "bytes", etag: '"one"' };
    if (range) response.writeHead(206, { ...head, "content-range": `bytes ${start}-${end - 1}/${bytes.length}` });
    else response.writeHead(200, head);
    void this.send(response, bytes.subarray(start, end));
    return true;
  };

  /** Writes at the storage's pace, and ends. */
  async send(response: ServerResponse, bytes: Buffer): Promise<void> {
    response.socket?.setNoDelay(true);
    let due = performance.now();
    for (let at = 0; at < bytes.length && !response.destroyed;) {
      if (due > performance.now()) await Bun.sleep(due - performance.now());
      const bytesPerSecond = this.#blob.bytesPerSecond?.(this.open) ?? Number.POSITIVE_INFINITY;
      const piece = bytes.subarray(at, at + Math.min(1 << 20, Math.ceil(bytesPerSecond * (tickMilliseconds / 1000))));
      at += piece.length;
      this.sentBytes += piece.length;
      if (!response.write(piece)) await roomIn(response);
      due += (piece.length / bytesPerSecond) * 1000;
    }
    this.#running.delete(response); // by the time its reader has all of it
    response.end();
  }

  #count(response: ServerResponse): void {
    this.#running.add(response);
    this.mostOpen = Math.max(this.mostOpen, this.open);
    response.once("close", () => this.#running.delete(response));
  }
}

function roomIn(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const go = (): void => {
      response.off("drain", go).off("close", go);
      resolve();
    };
    response.on("drain", go).on("close", go);
  });
}
