import { EngineError } from "#lib/errors.ts";

/** ctrl-p ctrl-q. */
export const defaultDetachKeys = Uint8Array.of(16, 17);

const controlKeys: Readonly<Record<string, number>> = { "@": 0, "[": 27, "\\": 28, "]": 29, "^": 30, _: 31 };

/**
 * Reads `ctrl-p,ctrl-q` or single letters, parted by commas.
 * @param noun  `escape` for execs
 * @throws {EngineError} `invalid` with Docker's text
 */
export function parseDetachKeys(text: string, noun: "detach" | "escape" = "detach"): Uint8Array {
  if (text === "") return defaultDetachKeys;
  return Uint8Array.from(text.split(","), (key) => {
    if (key.length === 1) return key.charCodeAt(0);
    const letter = /^ctrl-(.)$/.exec(key)?.[1];
    const code = letter === undefined ? undefined : /[a-z]/.test(letter) ? letter.charCodeAt(0) - 96 : controlKeys[letter];
    if (code === undefined) throw new EngineError("invalid", `Invalid ${noun} keys (${text}) provided`);
    return code;
  });
}

/** Finds the detach keys in what a client types. Keys that only begin like them are passed on late, never lost. */
export class DetachKeys {
  readonly #keys: Uint8Array;
  #matched = 0;

  constructor(keys: Uint8Array) {
    this.#keys = keys;
  }

  feed(chunk: Uint8Array): { readonly pass: Uint8Array; readonly detached: boolean } {
    if (this.#keys.length === 0) return { pass: chunk, detached: false };
    const pass: number[] = [];
    for (const byte of chunk) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched++;
        if (this.#matched === this.#keys.length) return { pass: Uint8Array.from(pass), detached: true };
        continue;
      }
      pass.push(...this.#keys.subarray(0, this.#matched));
      this.#matched = byte === this.#keys[0] ? 1 : 0;
      if (this.#matched === 0) pass.push(byte);
    }
    return { pass: Uint8Array.from(pass), detached: false };
  }
}
