import { EngineError } from "#lib/errors.ts";

/** Values of variables that words may name: an entry of an environment each. */
export type Environment = readonly string[];

/** A text with its quotes and backslashes resolved and its variables replaced. Source: Dockerfile reference, "Environment replacement". */
export function expandWord(text: string, environment: Environment): string {
  return new WordReader(text, environment).whole();
}

/** Splits at spaces outside quotes; quotes and backslashes stay as they are. */
export function splitQuoted(text: string): string[] {
  return text.match(/(?:\\[^]|'[^']*'|"(?:\\[^]|[^"\\])*"|[^\s\\]|\\$)+/g) ?? [];
}

class WordReader {
  readonly #text: string;
  readonly #environment: Environment;
  #at = 0;

  constructor(text: string, environment: Environment) {
    this.#text = text;
    this.#environment = environment;
  }

  whole(): string {
    return this.#until("");
  }

  /** @param end  stops before this character, unless it is empty */
  #until(end: string): string {
    let result = "";
    while (this.#at < this.#text.length && (end === "" || this.#peek() !== end)) {
      const character = this.#next();
      if (character === "'") result += this.#literal();
      else if (character === '"') result += this.#quoted();
      else if (character === "\\") result += this.#next();
      else if (character === "$") result += this.#variable();
      else result += character;
    }
    return result;
  }

  #literal(): string {
    const end = this.#text.indexOf("'", this.#at);
    if (end < 0) throw new EngineError("invalid", "unexpected end of statement while looking for matching single-quote");
    const result = this.#text.slice(this.#at, end);
    this.#at = end + 1;
    return result;
  }

  #quoted(): string {
    let result = "";
    for (;;) {
      if (this.#at >= this.#text.length)
        throw new EngineError("invalid", "unexpected end of statement while looking for matching double-quote");
      const character = this.#next();
      if (character === '"') return result;
      if (character === "$") result += this.#variable();
      else if (character === "\\" && ['"', "$", "\\"].includes(this.#peek())) result += this.#next();
      else result += character;
    }
  }

  /** After a dollar sign. */
  #variable(): string {
    if (this.#peek() !== "{") {
      const name = /^(?:[A-Za-z_]\w*|[0-9@*#?$!-])/.exec(this.#text.slice(this.#at))?.[0];
      if (name === undefined) return "$";
      this.#at += name.length;
      return this.#value(name) ?? "";
    }
    this.#next();
    const name = /^\w*/.exec(this.#text.slice(this.#at))?.[0] ?? "";
    this.#at += name.length;
    if (name === "") throw new EngineError("invalid", "syntax error: bad substitution");
    const value = this.#value(name);
    if (this.#peek() === "}") {
      this.#next();
      return value ?? "";
    }
    return this.#modified(value);
  }

  /** `${NAME:-word}`, `${NAME-word}`, and the same with `+`. */
  #modified(value: string | undefined): string {
    const operator = /^:?[-+]/.exec(this.#text.slice(this.#at))?.[0];
    if (operator === undefined) throw new EngineError("invalid", "unsupported modifier in substitution");
    this.#at += operator.length;
    const word = this.#until("}");
    if (this.#next() !== "}") throw new EngineError("invalid", "syntax error: missing '}'");
    const isSet = operator.startsWith(":") ? Boolean(value) : value !== undefined;
    if (operator.endsWith("+")) return isSet ? word : "";
    return isSet ? (value ?? "") : word;
  }

  #value(name: string): string | undefined {
    return this.#environment.find((entry) => entry.startsWith(`${name}=`))?.slice(name.length + 1);
  }

  #peek(): string {
    return this.#text.charAt(this.#at);
  }

  #next(): string {
    return this.#text.charAt(this.#at++);
  }
}
