import { TemplateError } from "./template-error.ts";

export type TokenKind = "text" | "open" | "close" | "field" | "variable" | "word" | "string" | "number" | "char" | "symbol" | "space";

export interface Token {
  readonly kind: TokenKind;
  /** As written; of strings and characters the value. */
  readonly value: string;
  /** Offset in the template. */
  readonly at: number;
}

const symbols = [":=", "|", "(", ")", ",", "="];

/** Cuts a Go template into tokens. Source: Go, text/template, "Actions". @throws {TemplateError} */
export function lex(name: string, source: string): Token[] {
  return new Lexer(name, source).run();
}

class Lexer {
  readonly #name: string;
  readonly #source: string;
  readonly #tokens: Token[] = [];
  #at = 0;

  constructor(name: string, source: string) {
    this.#name = name;
    this.#source = source;
  }

  run(): Token[] {
    while (this.#at < this.#source.length) {
      const open = this.#source.indexOf("{{", this.#at);
      const end = open < 0 ? this.#source.length : open;
      const trims = open >= 0 && /^\{\{-\s/.test(this.#source.slice(open, open + 4));
      const text = this.#source.slice(this.#at, end);
      this.#push("text", trims ? text.replace(/[ \t\r\n]+$/, "") : text, this.#at);
      if (open < 0) break;
      this.#at = open + (trims ? 3 : 2);
      this.#action(open);
    }
    return this.#tokens.filter((token) => token.kind !== "text" || token.value !== "");
  }

  #action(open: number): void {
    const comment = /^\s*\/\*[\s\S]*?\*\/\s*?(\s-)?\}\}/.exec(this.#source.slice(this.#at));
    if (comment) {
      this.#at += comment[0].length;
      if (comment[1]) this.#skipSpace();
      return;
    }
    this.#push("open", "{{", open);
    for (;;) {
      const rest = this.#source.slice(this.#at);
      const close = /^(\s+-)?\}\}/.exec(rest);
      if (close) {
        this.#push("close", "}}", this.#at);
        this.#at += close[0].length;
        if (close[1]) this.#skipSpace();
        return;
      }
      if (rest === "") throw this.#error(open, "unclosed action");
      this.#token(rest);
    }
  }

  #token(rest: string): void {
    const space = /^\s+/.exec(rest);
    if (space) return this.#take("space", space[0]);
    const field = /^\.[\p{L}_][\p{L}\p{N}_]*|^\.(?![\p{L}\p{N}_])/u.exec(rest);
    if (field) return this.#take("field", field[0]);
    const variable = /^\$[\p{L}\p{N}_]*/u.exec(rest);
    if (variable) return this.#take("variable", variable[0]);
    const number = /^[+-]?(0[xX][0-9a-fA-F]+|\d+(\.\d*)?([eE][+-]?\d+)?|\.\d+)/.exec(rest);
    if (number) return this.#take("number", number[0]);
    const word = /^[\p{L}_][\p{L}\p{N}_]*/u.exec(rest);
    if (word) return this.#take("word", word[0]);
    const first = rest[0] ?? "";
    if (first === '"' || first === "'") return this.#quoted(rest, first);
    if (first === "`") return this.#raw(rest);
    const symbol = symbols.find((one) => rest.startsWith(one));
    if (symbol) return this.#take("symbol", symbol);
    const code = (rest.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, "0");
    throw this.#error(this.#at, `unexpected bad character U+${code} '${String.fromCodePoint(rest.codePointAt(0) ?? 0)}' in command`);
  }

  #quoted(rest: string, quote: string): void {
    const match = quote === '"' ? /^"(?:[^"\\\n]|\\.)*"/.exec(rest) : /^'(?:[^'\\\n]|\\.)*'/.exec(rest);
    if (!match) throw this.#error(this.#at, quote === '"' ? "unterminated quoted string" : "unterminated character constant");
    this.#push(quote === '"' ? "string" : "char", unescape(match[0].slice(1, -1)), this.#at);
    this.#at += match[0].length;
  }

  #raw(rest: string): void {
    const end = rest.indexOf("`", 1);
    if (end < 0) throw this.#error(this.#at, "unterminated raw quoted string");
    this.#push("string", rest.slice(1, end), this.#at);
    this.#at += end + 1;
  }

  #take(kind: TokenKind, value: string): void {
    this.#push(kind, value, this.#at);
    this.#at += value.length;
  }

  #push(kind: TokenKind, value: string, at: number): void {
    this.#tokens.push({ kind, value, at });
  }

  #skipSpace(): void {
    while (/\s/.test(this.#source[this.#at] ?? "")) this.#at++;
  }

  #error(at: number, problem: string): TemplateError {
    const line = this.#source.slice(0, at).split("\n").length;
    return new TemplateError(`template: ${this.#name}:${line}: ${problem}`);
  }
}

const escapes: Readonly<Record<string, string>> = { n: "\n", t: "\t", r: "\r", a: "\u0007", b: "\b", f: "\f", v: "\v" };

function unescape(text: string): string {
  return text.replace(/\\(x[0-9a-fA-F]{2}|u[0-9a-fA-F]{4}|U[0-9a-fA-F]{8}|[0-7]{3}|.)/g, (_, escape: string) => {
    if (/^[xuU]./.test(escape)) return String.fromCodePoint(Number.parseInt(escape.slice(1), 16));
    if (/^[0-7]{3}$/.test(escape)) return String.fromCharCode(Number.parseInt(escape, 8));
    return escapes[escape] ?? escape;
  });
}
