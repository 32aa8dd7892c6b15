const named: Readonly<Record<string, number>> = {
  "ctrl-@": 0,
  "ctrl-[": 27,
  "ctrl-\\": 28,
  "ctrl-]": 29,
  "ctrl-^": 30,
  "ctrl-_": 31,
  DEL: 127,
};

/** ctrl-p, ctrl-q. */
const standardKeys = [16, 17];

/** `ctrl-a,b` → the bytes the terminal sends. @throws {Error} for an unknown key */
export function parseDetachKeys(text: string): readonly number[] {
  if (text === "") return standardKeys;
  return text.split(",").map((key) => {
    if (key.length === 1) return key.charCodeAt(0);
    const code = named[key] ?? (/^ctrl-[a-z]$/.test(key) ? key.charCodeAt(5) - 96 : undefined);
    if (code === undefined) throw new Error(`Unknown character: '${key}'`);
    return code;
  });
}

/**
 * Looks for the detach keys in what is typed. Bytes that may be the beginning of the sequence are held back until it is clear that they are not.
 */
export class DetachKeys {
  readonly #keys: readonly number[];
  #matched = 0;

  constructor(keys: readonly number[]) {
    this.#keys = keys;
  }

  /** @returns the bytes to pass on, and whether the whole sequence was typed */
  push(bytes: Uint8Array): { readonly pass: Uint8Array; readonly isDetached: boolean } {
    const pass: number[] = [];
    for (const byte of bytes) {
      if (byte === this.#keys[this.#matched]) {
        this.#matched++;
        if (this.#matched === this.#keys.length) return { pass: Uint8Array.from(pass), isDetached: true };
        continue;
      }
      pass.push(...this.#keys.slice(0, this.#matched));
      this.#matched = byte === this.#keys[0] ? 1 : 0;
      if (this.#matched === 0) pass.push(byte);
    }
    return { pass: Uint8Array.from(pass), isDetached: false };
  }
}
