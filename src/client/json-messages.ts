import { ConnectionError } from "./errors.ts";

/** One message of a pull, of the events or of the statistics; the largest ones of Docker have a few kilobytes. */
const maximumMessageLength = 8 * 1024 * 1024;

/**
 * Splits a stream of JSON objects that follow one another with or without line ends, cut anywhere by the network.
 * @throws {ConnectionError} for what is no JSON, and for a message that never ends
 */
export async function* jsonMessages(body: AsyncIterable<Uint8Array>): AsyncGenerator<unknown, void> {
  for await (const text of jsonTexts(body)) yield parseMessage(text);
}

/** The same objects as text, for those who need digits that JavaScript's numbers cannot hold. */
export async function* jsonTexts(body: AsyncIterable<Uint8Array>): AsyncGenerator<string, void> {
  const decoder = new TextDecoder();
  const splitter = new ObjectSplitter();
  for await (const chunk of body) yield* splitter.push(decoder.decode(chunk, { stream: true }));
  const rest = splitter.rest.trim();
  if (rest !== "") yield rest;
}

/** @throws {ConnectionError} */
export function parseMessage(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new ConnectionError(`the daemon sent no JSON: ${text.slice(0, 80)}`, { cause: error });
  }
}

/** Finds where a top-level object ends by counting brackets outside of strings. */
class ObjectSplitter {
  #held = "";
  #at = 0;
  #depth = 0;
  #inString = false;
  #isEscaped = false;

  get rest(): string {
    return this.#held;
  }

  *push(text: string): Generator<string, void> {
    this.#held += text;
    let start = 0;
    for (; this.#at < this.#held.length; this.#at++) {
      if (!this.#step(this.#held.charCodeAt(this.#at))) continue;
      yield this.#held.slice(start, this.#at + 1);
      start = this.#at + 1;
    }
    this.#held = this.#held.slice(start);
    this.#at -= start;
    if (this.#held.length > maximumMessageLength) throw new ConnectionError("a message of the daemon is too large");
  }

  /** True at the last character of an object. */
  #step(code: number): boolean {
    if (this.#inString) {
      if (this.#isEscaped) this.#isEscaped = false;
      else if (code === 92) this.#isEscaped = true;
      else if (code === 34) this.#inString = false;
      return false;
    }
    if (code === 34) this.#inString = true;
    else if (code === 123 || code === 91) this.#depth++;
    else if ((code === 125 || code === 93) && this.#depth > 0) return --this.#depth === 0;
    return false;
  }
}
