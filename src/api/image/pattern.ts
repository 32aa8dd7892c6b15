import { EngineError } from "#lib/errors.ts";

/** One step of a pattern; `star` is any run of characters but slashes. */
type Step = { readonly kind: "star" } | { readonly kind: "one"; readonly fits: (character: string) => boolean };

/**
 * A shell pattern as Go's `path.Match` reads it: `*`, `?`, `[a-z]`, `[^a-z]`, and `\` before a character that is meant itself. Neither
 * `*` nor `?` is a slash.
 * @throws {EngineError} `invalid` with Go's text
 */
export function parsePattern(pattern: string): (name: string) => boolean {
  const reader = new PatternReader(pattern);
  const steps: Step[] = [];
  while (!reader.ended) steps.push(reader.step());
  return (name) => matches(steps, Array.from(name)); // by character, as Go does
}

/** Of several stars only the last is ever tried anew, so that no pattern costs more than the product of both lengths. */
function matches(steps: readonly Step[], name: readonly string[]): boolean {
  let [at, character] = [0, 0];
  let retry: { readonly step: number; character: number } | undefined;
  for (;;) {
    const step = steps[at];
    if (step?.kind === "star") {
      retry = { step: ++at, character };
      continue;
    }
    const next = name[character];
    if (step === undefined && next === undefined) return true;
    if (step !== undefined && next !== undefined && step.fits(next)) {
      at++;
      character++;
      continue;
    }
    const swallowed = retry && name[retry.character];
    if (!retry || swallowed === undefined || swallowed === "/") return false;
    at = retry.step;
    character = ++retry.character;
  }
}

class PatternReader {
  readonly #characters: readonly string[];
  #at = 0;

  constructor(pattern: string) {
    this.#characters = Array.from(pattern);
  }

  get ended(): boolean {
    return this.#at >= this.#characters.length;
  }

  step(): Step {
    const character = this.#take();
    if (character === "*") return { kind: "star" };
    if (character === "?") return { kind: "one", fits: (one) => one !== "/" };
    if (character === "[") return { kind: "one", fits: this.#set() };
    const literal = character === "\\" ? this.#take() : character;
    return { kind: "one", fits: (one) => one === literal };
  }

  #set(): (character: string) => boolean {
    const negated = this.#peek() === "^";
    if (negated) this.#take();
    const ranges: { readonly first: string; readonly last: string }[] = [];
    while (ranges.length === 0 || this.#peek() !== "]") {
      const first = this.#member();
      if (this.#peek() !== "-") {
        ranges.push({ first, last: first });
        continue;
      }
      this.#take();
      ranges.push({ first, last: this.#member() });
    }
    this.#take();
    return (one) => ranges.some(({ first, last }) => first <= one && one <= last) !== negated;
  }

  #member(): string {
    const character = this.#take();
    if (character === "-" || character === "]") throw malformed();
    return character === "\\" ? this.#take() : character;
  }

  #peek(): string | undefined {
    return this.#characters[this.#at];
  }

  #take(): string {
    const character = this.#characters[this.#at++];
    if (character === undefined) throw malformed();
    return character;
  }
}

function malformed(): EngineError {
  return new EngineError("invalid", "syntax error in pattern");
}
