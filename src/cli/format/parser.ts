import { lex, type Token } from "./lexer.ts";
import { TemplateError } from "./template-error.ts";

/** An operand. `at` is its offset in the template, `text` how it is named in errors. */
export type Operand =
  | { readonly type: "literal"; readonly value: unknown; readonly at: number; readonly text: string }
  | { readonly type: "dot"; readonly at: number; readonly text: string }
  | { readonly type: "variable"; readonly name: string; readonly fields: readonly string[]; readonly at: number; readonly text: string }
  | { readonly type: "field"; readonly fields: readonly string[]; readonly at: number; readonly text: string }
  | { readonly type: "function"; readonly name: string; readonly at: number; readonly text: string }
  | {
      readonly type: "pipeline";
      readonly pipeline: Pipeline;
      readonly fields: readonly string[];
      readonly at: number;
      readonly text: string;
    };

export interface Pipeline {
  /** `$x := …`, or two names of a range. */
  readonly variables: readonly string[];
  readonly assigns: boolean;
  readonly commands: readonly (readonly Operand[])[];
  readonly at: number;
}

export type Node =
  | { readonly type: "text"; readonly text: string }
  | { readonly type: "action"; readonly pipeline: Pipeline }
  | {
      readonly type: "if" | "with" | "range";
      readonly pipeline: Pipeline;
      readonly body: readonly Node[];
      readonly otherwise: readonly Node[];
    }
  | { readonly type: "break" | "continue" };

/** Nesting deeper than this is no format that a person wrote. */
const maximumDepth = 100;

/** @param functions  names that may be called. @throws {TemplateError} with Go's words. Source: Go, text/template. */
export function parseTemplate(name: string, source: string, functions: ReadonlySet<string>): readonly Node[] {
  return new Parser(name, source, functions).run();
}

class Parser {
  readonly #name: string;
  readonly #source: string;
  readonly #functions: ReadonlySet<string>;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(name: string, source: string, functions: ReadonlySet<string>) {
    this.#name = name;
    this.#source = source;
    this.#functions = functions;
    this.#tokens = lex(name, source);
  }

  run(): readonly Node[] {
    const { nodes, end } = this.#list(new Set());
    if (end) throw this.#error(`unexpected {{${end}}}`);
    return nodes;
  }

  /** Nodes up to one of the words in `until`, or up to the end of the template. */
  #list(until: ReadonlySet<string>): { nodes: Node[]; end: string | undefined } {
    if (++this.#depth > maximumDepth) throw this.#error("nested too deeply");
    const nodes: Node[] = [];
    for (let token = this.#next(); token; token = this.#next()) {
      if (token.kind === "text") {
        nodes.push({ type: "text", text: token.value });
        continue;
      }
      this.#space();
      const word = this.#peek();
      const keyword = word?.kind === "word" ? word.value : "";
      if (keyword === "end" || keyword === "else") {
        this.#at++;
        if (!until.has(keyword)) throw this.#error(`unexpected {{${keyword}}}`);
        if (keyword === "end") this.#close("end");
        this.#depth--;
        return { nodes, end: keyword };
      }
      nodes.push(this.#statement(keyword));
    }
    if (until.size > 0) throw this.#error("unexpected EOF");
    this.#depth--;
    return { nodes, end: undefined };
  }

  #statement(keyword: string): Node {
    if (keyword === "if" || keyword === "with" || keyword === "range") {
      this.#at++;
      return this.#control(keyword);
    }
    if (keyword === "break" || keyword === "continue") {
      this.#at++;
      this.#close(keyword);
      return { type: keyword };
    }
    const pipeline = this.#pipeline("command");
    this.#close("command");
    return { type: "action", pipeline };
  }

  #control(type: "if" | "with" | "range"): Node {
    const pipeline = this.#pipeline(type);
    this.#close(type);
    const { nodes: body, end } = this.#list(new Set(["end", "else"]));
    if (end === "end") return { type, pipeline, body, otherwise: [] };
    this.#space();
    const word = this.#peek();
    if (word?.kind === "word" && (word.value === "if" || word.value === "with") && type !== "range") {
      this.#at++;
      return { type, pipeline, body, otherwise: [this.#control(word.value)] }; // `else if` shares its end
    }
    this.#close("else");
    return { type, pipeline, body, otherwise: this.#list(new Set(["end"])).nodes };
  }

  #pipeline(context: string): Pipeline {
    this.#space();
    const at = this.#peek()?.at ?? this.#source.length;
    const { variables, assigns } = this.#declaration();
    const commands: Operand[][] = [];
    for (;;) {
      const operands = this.#operands();
      if (operands.length === 0) throw this.#error(commands.length === 0 ? `missing value for ${context}` : `missing value for ${context}`);
      commands.push(operands);
      this.#space();
      if (!this.#takes("symbol", "|")) break;
    }
    return { variables, assigns, commands, at };
  }

  #declaration(): { variables: string[]; assigns: boolean } {
    const start = this.#at;
    const variables: string[] = [];
    for (let token = this.#peek(); token?.kind === "variable"; token = this.#peek()) {
      variables.push(token.value);
      this.#at++;
      this.#space();
      if (this.#takes("symbol", ":=")) return { variables, assigns: false };
      if (this.#takes("symbol", "=")) return { variables, assigns: true };
      if (!this.#takes("symbol", ",")) break;
      this.#space();
    }
    this.#at = start;
    return { variables: [], assigns: false };
  }

  #operands(): Operand[] {
    const operands: Operand[] = [];
    for (;;) {
      this.#space();
      const operand = this.#operand();
      if (!operand) return operands;
      operands.push(operand);
    }
  }

  #operand(): Operand | undefined {
    const token = this.#peek();
    if (!token) return undefined;
    const { at, value } = token;
    switch (token.kind) {
      case "field": {
        this.#at++;
        if (value === ".") return { type: "dot", at, text: "." };
        const place = this.#placeOfChain(at);
        const fields = [value.slice(1), ...this.#fields()];
        return { type: "field", fields, at: place, text: `.${fields.join(".")}` };
      }
      case "variable": {
        this.#at++;
        const place = this.#placeOfChain(at);
        const fields = this.#fields();
        return { type: "variable", name: value, fields, at: place, text: [value, ...fields].join(".") };
      }
      case "string":
        this.#at++;
        return { type: "literal", value, at, text: JSON.stringify(value) };
      case "char":
        this.#at++;
        return { type: "literal", value: value.codePointAt(0) ?? 0, at, text: `'${value}'` };
      case "number":
        this.#at++;
        return { type: "literal", value: Number(value), at, text: value };
      case "word":
        this.#at++;
        return this.#word(value, at);
      default:
        return value === "(" && token.kind === "symbol" ? this.#parenthesis(at) : undefined;
    }
  }

  #word(value: string, at: number): Operand {
    if (value === "true" || value === "false") return { type: "literal", value: value === "true", at, text: value };
    if (value === "nil") return { type: "literal", value: null, at, text: value };
    if (!this.#functions.has(value)) throw this.#error(`function ${JSON.stringify(value)} not defined`);
    return { type: "function", name: value, at, text: value };
  }

  #parenthesis(at: number): Operand {
    this.#at++;
    if (++this.#depth > maximumDepth) throw this.#error("nested too deeply");
    const pipeline = this.#pipeline("parenthesized pipeline");
    if (!this.#takes("symbol", ")")) throw this.#error("unclosed left paren");
    this.#depth--;
    const end = this.#peek()?.at ?? this.#source.length;
    const fields = this.#fields();
    return { type: "pipeline", pipeline, fields, at, text: this.#source.slice(at, end).trimEnd() };
  }

  /** Go names the second part of a chain as the place of an error in it. */
  #placeOfChain(at: number): number {
    const next = this.#peek();
    return next?.kind === "field" && next.value !== "." ? next.at : at;
  }

  /** Fields that follow without a space. */
  #fields(): string[] {
    const fields: string[] = [];
    for (let token = this.#peek(); token?.kind === "field" && token.value !== "."; token = this.#peek()) {
      fields.push(token.value.slice(1));
      this.#at++;
    }
    return fields;
  }

  #close(context: string): void {
    this.#space();
    const token = this.#next();
    if (token?.kind === "close") return;
    throw this.#error(
      token ? `unexpected ${JSON.stringify(token.value)} in ${context === "command" ? "operand" : context}` : "unclosed action",
    );
  }

  #takes(kind: Token["kind"], value: string): boolean {
    const token = this.#peek();
    if (token?.kind !== kind || token.value !== value) return false;
    this.#at++;
    return true;
  }

  #space(): void {
    while (this.#peek()?.kind === "space") this.#at++;
  }

  #peek(): Token | undefined {
    return this.#tokens[this.#at];
  }

  #next(): Token | undefined {
    return this.#tokens[this.#at++];
  }

  #error(problem: string): TemplateError {
    const at = this.#tokens[Math.min(this.#at, this.#tokens.length) - 1]?.at ?? 0;
    return new TemplateError(`template: ${this.#name}:${this.#source.slice(0, at).split("\n").length}: ${problem}`);
  }
}
