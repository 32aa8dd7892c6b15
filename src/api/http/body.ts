import { EngineError } from "#lib/errors.ts";
import type { ByteReader } from "./byte-reader.ts";
import type { BodyFraming } from "./request-head.ts";

const maximumChunkLineBytes = 4096;

/**
 * The body of a request that is read from its socket. Takes exactly its bytes: what follows stays in the reader.
 * @throws {EngineError} `invalid` when the body breaks off or a chunk is malformed
 */
export async function* readBody(reader: ByteReader, framing: BodyFraming): AsyncGenerator<Uint8Array, void, void> {
  if (framing.type === "length") yield* readExactly(reader, framing.sizeBytes);
  else if (framing.type === "chunked") yield* readChunks(reader);
}

/** The body of a request on a connection that may be hijacked, read at most once, and only when someone asks. */
export class UpgradeBody {
  readonly framing: BodyFraming;
  readonly #bytes: AsyncGenerator<Uint8Array, void, void>;
  #ended: boolean;
  #begun = false;

  constructor(reader: ByteReader, framing: BodyFraming) {
    this.framing = framing;
    this.#bytes = readBody(reader, framing);
    this.#ended = framing.type === "none";
  }

  get begun(): boolean {
    return this.#begun;
  }

  /** All of it was taken: the next byte of the connection is not its own. */
  get ended(): boolean {
    return this.#ended;
  }

  async *read(): AsyncGenerator<Uint8Array, void, void> {
    this.#begun = true;
    for await (const chunk of this.#bytes) yield chunk;
    this.#ended = true;
  }
}

/** Collects a body. @throws {EngineError} `too_large` with Go's text, as soon as the limit is passed */
export async function collectBody(body: AsyncIterable<Uint8Array>, limitBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes > limitBytes) throw bodyTooLarge();
    chunks.push(chunk);
  }
  return chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks, sizeBytes);
}

export function bodyTooLarge(): EngineError {
  return new EngineError("too_large", "http: request body too large");
}

export function bodyBrokenOff(): EngineError {
  return new EngineError("invalid", "unexpected EOF");
}

async function* readExactly(reader: ByteReader, sizeBytes: number): AsyncGenerator<Uint8Array, void, void> {
  for (let left = sizeBytes; left > 0;) {
    const chunk = await reader.read();
    if (!chunk) throw bodyBrokenOff();
    const taken = chunk.subarray(0, left);
    reader.unread(chunk.subarray(taken.length));
    left -= taken.length;
    yield taken;
  }
}

/** Source: RFC 9112, 7.1. Extensions and trailers are read over. */
async function* readChunks(reader: ByteReader): AsyncGenerator<Uint8Array, void, void> {
  for (;;) {
    const line = await readLine(reader);
    const match = /^([0-9a-fA-F]{1,12})[ \t]*(?:;[\x20-\x7e\t]*)?$/.exec(line);
    if (!match) throw new EngineError("invalid", "invalid byte in chunk length");
    const sizeBytes = Number.parseInt(match[1] ?? "", 16);
    if (sizeBytes === 0) return skipTrailers(reader);
    yield* readExactly(reader, sizeBytes);
    if ((await readLine(reader)) !== "") throw new EngineError("invalid", "malformed chunked encoding");
  }
}

async function skipTrailers(reader: ByteReader): Promise<void> {
  for (let fields = 0; fields < 64; fields++) if ((await readLine(reader)) === "") return;
  throw new EngineError("invalid", "too many trailer fields");
}

/** One line without its CRLF. A line feed alone is no line end here: readers that differ about it can be played off against each other. */
async function readLine(reader: ByteReader): Promise<string> {
  let line = "";
  for (;;) {
    const chunk = await reader.read();
    if (!chunk) throw bodyBrokenOff();
    const end = chunk.indexOf(10);
    line += Buffer.from(chunk.subarray(0, end < 0 ? chunk.length : end + 1)).toString("latin1");
    if (line.length > maximumChunkLineBytes) throw new EngineError("invalid", "header line too long");
    if (end < 0) continue;
    reader.unread(chunk.subarray(end + 1));
    if (!line.endsWith("\r\n")) throw new EngineError("invalid", "malformed chunked encoding");
    return line.slice(0, -2);
  }
}
