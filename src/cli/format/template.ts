import { functions, type TemplateFunction } from "./functions.ts";
import { type Node, type Operand, parseTemplate, type Pipeline } from "./parser.ts";
import { TemplateError } from "./template-error.ts";
import { display, isMap, isTrue, Row } from "./values.ts";

/** Output of one template beyond this means a loop that was not meant. */
const maximumOutput = 64 * 1024 * 1024;

export interface TemplateOptions {
  /** Shown in errors; Docker's templates have none. */
  readonly name?: string;
  readonly functions?: Readonly<Record<string, TemplateFunction>>;
  /** Go's option missingkey=error: a missing key of a map is an error instead of `<no value>`. */
  readonly failOnMissingKey?: boolean;
}

/** A Go template, ready to be run on values. Source: Go, text/template. */
export class Template {
  readonly #name: string;
  readonly #source: string;
  readonly #nodes: readonly Node[];
  readonly #functions: Readonly<Record<string, TemplateFunction>>;
  readonly #failOnMissingKey: boolean;

  /** @throws {TemplateError} */
  constructor(source: string, options: TemplateOptions = {}) {
    this.#name = options.name ?? "";
    this.#source = source;
    this.#functions = options.functions ?? functions;
    this.#failOnMissingKey = options.failOnMissingKey ?? false;
    this.#nodes = parseTemplate(this.#name, source, new Set(Object.keys(this.#functions)));
  }

  /** @throws {TemplateError} */
  run(value: unknown): string {
    const run = new Run(
      { name: this.#name, source: this.#source, functions: this.#functions, failOnMissingKey: this.#failOnMissingKey },
      value,
    );
    try {
      run.nodes(this.#nodes, value);
    } catch (error) {
      if (error instanceof TemplateError) error.printed = run.output;
      throw error;
    }
    return run.output;
  }
}

interface RunOptions {
  readonly name: string;
  readonly source: string;
  readonly functions: Readonly<Record<string, TemplateFunction>>;
  readonly failOnMissingKey: boolean;
}

/** Go's names of types by JavaScript's. */
const typeNames: Readonly<Record<string, string>> = { string: "string", boolean: "bool", number: "int" };

type Flow = "next" | "break" | "continue";

class Run {
  output = "";
  readonly #options: RunOptions;
  /** Innermost last. */
  readonly #variables: { readonly name: string; value: unknown }[];

  constructor(options: RunOptions, root: unknown) {
    this.#options = options;
    this.#variables = [{ name: "$", value: root }];
  }

  nodes(nodes: readonly Node[], dot: unknown): Flow {
    for (const node of nodes) {
      const flow = this.#node(node, dot);
      if (flow !== "next") return flow;
    }
    return "next";
  }

  #node(node: Node, dot: unknown): Flow {
    switch (node.type) {
      case "text":
        this.#write(node.text);
        return "next";
      case "action": {
        const value = this.#pipeline(node.pipeline, dot);
        if (node.pipeline.variables.length === 0) this.#write(display(value));
        return "next";
      }
      case "if":
      case "with":
        return this.#scoped(() => {
          const value = this.#pipeline(node.pipeline, dot);
          if (isTrue(value)) return this.nodes(node.body, node.type === "with" ? value : dot);
          return this.nodes(node.otherwise, dot);
        });
      case "range":
        return this.#scoped(() => this.#range(node, dot));
      default:
        return node.type;
    }
  }

  #range(node: Extract<Node, { body: readonly Node[] }>, dot: unknown): Flow {
    const { pipeline } = node;
    const value = this.#pipeline({ ...pipeline, variables: [] }, dot);
    const entries = this.#entries(value, pipeline);
    if (entries.length === 0) return this.nodes(node.otherwise, dot);
    for (const [key, entry] of entries) {
      const flow = this.#scoped(() => {
        const [first, second] = pipeline.variables;
        if (first !== undefined) this.#bind(first, second === undefined ? entry : key, pipeline.assigns);
        if (second !== undefined) this.#bind(second, entry, pipeline.assigns);
        return this.nodes(node.body, entry);
      });
      if (flow === "break") break;
    }
    return "next";
  }

  #entries(value: unknown, pipeline: Pipeline): [unknown, unknown][] {
    if (value === null || value === undefined) return [];
    if (Array.isArray(value)) return [...value.entries()];
    if (isMap(value)) return Object.entries(value).toSorted(([one], [other]) => (one < other ? -1 : 1));
    if (typeof value === "number" && Number.isInteger(value) && value <= 1_000_000)
      return Array.from({ length: Math.max(0, value) }, (_, index) => [index, index]);
    throw this.#error(pipeline.commands[0]?.[0] ?? { at: pipeline.at, text: "" }, `range can't iterate over ${display(value)}`);
  }

  #scoped<T>(body: () => T): T {
    const depth = this.#variables.length;
    try {
      return body();
    } finally {
      this.#variables.length = depth;
    }
  }

  #pipeline(pipeline: Pipeline, dot: unknown): unknown {
    let value: unknown;
    pipeline.commands.forEach((operands, index) => {
      value = this.#command(operands, dot, index === 0 ? [] : [value]);
    });
    const [name] = pipeline.variables;
    if (name !== undefined) this.#bind(name, value, pipeline.assigns);
    return value;
  }

  #bind(name: string, value: unknown, assigns: boolean): void {
    const held = assigns ? this.#variables.findLast((variable) => variable.name === name) : undefined;
    if (held) held.value = value;
    else this.#variables.push({ name, value });
  }

  /** @param last  the value of the command before in the pipeline, if any */
  #command(operands: readonly Operand[], dot: unknown, last: readonly unknown[]): unknown {
    const [first, ...rest] = operands;
    if (!first) return undefined;
    if (first.type === "function") return this.#call(first, rest, dot, last);
    if (first.type === "field" && (rest.length > 0 || last.length > 0)) return this.#callMethod(first, rest, dot, last);
    if (rest.length > 0 || last.length > 0) throw this.#error(first, `can't give argument to non-function ${first.text}`);
    return this.#operand(first, dot);
  }

  #call(operand: Extract<Operand, { type: "function" }>, rest: readonly Operand[], dot: unknown, last: readonly unknown[]): unknown {
    const { name } = operand;
    if (name === "and" || name === "or") return this.#lazily(name, rest, dot, last);
    const args = [...rest.map((one) => this.#operand(one, dot)), ...last];
    const called = this.#options.functions[name];
    try {
      return called?.(...args);
    } catch (error) {
      throw error instanceof TemplateError
        ? error
        : this.#error(
            { at: operand.at, text: [operand, ...rest].map(({ text }) => text).join(" ") },
            `error calling ${name}: ${error instanceof Error ? error.message : String(error)}`,
          );
    }
  }

  /** `and` ends at the first false operand, `or` at the first true one. */
  #lazily(name: "and" | "or", rest: readonly Operand[], dot: unknown, last: readonly unknown[]): unknown {
    let value: unknown;
    for (const evaluate of [...rest.map((one) => () => this.#operand(one, dot)), ...last.map((one) => () => one)]) {
      value = evaluate();
      if (isTrue(value) === (name === "or")) break;
    }
    return value;
  }

  #callMethod(operand: Extract<Operand, { type: "field" }>, rest: readonly Operand[], dot: unknown, last: readonly unknown[]): unknown {
    const name = operand.fields.at(-1) ?? "";
    const receiver = this.#fields(dot, operand.fields.slice(0, -1), operand);
    const method = receiver instanceof Row ? receiver.method(name) : undefined;
    if (!method) throw this.#error(operand, `${name} has arguments but cannot be invoked as function`);
    return method(...rest.map((one) => this.#operand(one, dot)), ...last);
  }

  #operand(operand: Operand, dot: unknown): unknown {
    switch (operand.type) {
      case "literal":
        return operand.value;
      case "dot":
        return dot;
      case "field":
        return this.#fields(dot, operand.fields, operand);
      case "variable": {
        const variable = this.#variables.findLast(({ name }) => name === operand.name);
        if (!variable) throw this.#error(operand, `undefined variable ${JSON.stringify(operand.name)}`);
        return this.#fields(variable.value, operand.fields, operand);
      }
      case "pipeline":
        return this.#fields(
          this.#scoped(() => this.#pipeline(operand.pipeline, dot)),
          operand.fields,
          operand,
        );
      case "function":
        return this.#call(operand, [], dot, []);
    }
  }

  #fields(from: unknown, names: readonly string[], operand: Operand): unknown {
    let value = from;
    for (const name of names) value = this.#field(value, name, operand);
    return value;
  }

  #field(value: unknown, name: string, operand: Operand): unknown {
    if (value instanceof Row) {
      if (value.has(name)) return value.get(name);
      throw this.#error(operand, `can't evaluate field ${name} in type ${value.typeName}`);
    }
    if (isMap(value)) {
      if (Object.hasOwn(value, name)) return value[name];
      if (this.#options.failOnMissingKey) throw this.#error(operand, `map has no entry for key ${JSON.stringify(name)}`);
      return undefined;
    }
    if (value === null || value === undefined) throw this.#error(operand, `nil pointer evaluating interface {}.${name}`);
    throw this.#error(operand, `can't evaluate field ${name} in type ${typeNames[typeof value] ?? "interface {}"}`);
  }

  #write(text: string): void {
    this.output += text;
    if (this.output.length > maximumOutput) throw new TemplateError("template: output is too large");
  }

  #error(place: { readonly at: number; readonly text: string }, problem: string): TemplateError {
    const { name, source } = this.#options;
    const before = source.slice(0, place.at);
    const line = before.split("\n").length;
    const column = Buffer.byteLength(before.slice(before.lastIndexOf("\n") + 1));
    const shown = place.text.length > 20 ? `${place.text.slice(0, 20)}...` : place.text;
    return new TemplateError(`template: ${name}:${line}:${column}: executing ${JSON.stringify(name)} at <${shown}>: ${problem}`);
  }
}
