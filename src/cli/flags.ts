import { UsageError } from "./errors.ts";

/**
 * One flag as data: parsing, help and completion come from this value. Methods read text and throw plain Errors with Go's wording; the parser
 * adds which flag it was.
 */
export interface Flag<T> {
  /** What help shows after the name: `string`, `list`, `bytes`; empty for flags that need no value. */
  readonly kind: string;
  readonly short?: string | undefined;
  readonly usage: string;
  /** Text of the default in help, if it is worth showing. */
  readonly defaultText?: string | undefined;
  /** The value of the flag given without one (`--rm`): only then may the value be left out. */
  readonly implied?: string | undefined;
  readonly hidden?: boolean;
  /** Older names that still work, hidden from help. */
  readonly otherNames?: readonly string[];
  /** Older names that still work, with a word about it. */
  readonly deprecatedNames?: readonly string[];
  initial(): T;
  /** The value after `text` was given, once more or for the first time. @throws {Error} */
  set(text: string, previous: T, isFirst: boolean): T;
}

/** Flags by their name in camel case: `detachKeys` is `--detach-keys`. */
export type FlagSet = Readonly<Record<string, Flag<unknown>>>;

export type FlagValues<F extends FlagSet> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never };

export interface ParsedFlags<F extends FlagSet> {
  readonly values: FlagValues<F>;
  /** Names (camel case) of the flags that were given. */
  readonly changed: ReadonlySet<keyof F & string>;
  readonly args: readonly string[];
  readonly wantsHelp: boolean;
  /** What the user should know of flags that were given. */
  readonly notices: readonly string[];
}

/** `detachKeys` → `detach-keys`. */
export function flagName(key: string): string {
  return key.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
}

/**
 * Reads a command line by the rules of pflag: `--name value`, `--name=value`, `-n value`, `-nvalue`, `-n=value`, `-itd`, `--` ends the flags.
 * @param options.stopAtFirstArgument  what follows the first argument belongs to the program in the container
 * @throws {UsageError} with pflag's words
 * Source: github.com/spf13/pflag, "Command line flag syntax".
 */
export function parseFlags<F extends FlagSet>(
  flags: F,
  argv: readonly string[],
  options: { readonly stopAtFirstArgument?: boolean } = {},
): ParsedFlags<F> {
  return new Parser(flags, argv, options.stopAtFirstArgument ?? false).parse();
}

class Parser<F extends FlagSet> {
  readonly #flags: F;
  readonly #argv: readonly string[];
  readonly #stopAtFirst: boolean;
  readonly #values: Record<string, unknown> = {};
  readonly #changed = new Set<string>();
  readonly #args: string[] = [];
  readonly #notices: string[] = [];
  #at = 0;
  #wantsHelp = false;

  constructor(flags: F, argv: readonly string[], stopAtFirst: boolean) {
    this.#flags = flags;
    this.#argv = argv;
    this.#stopAtFirst = stopAtFirst;
    for (const key in flags) this.#values[key] = flags[key]?.initial();
  }

  /** Looked for when it is asked for: of a hundred flags a command line has three, and it is read in every start of the program. */
  #keyOf(name: string): string | undefined {
    const key = name.replace(/-([a-z])/g, (_dash, letter: string) => letter.toUpperCase());
    if (Object.hasOwn(this.#flags, key) && flagName(key) === name) return key;
    return this.#keyWhere(({ otherNames, deprecatedNames }) => otherNames?.includes(name) || deprecatedNames?.includes(name));
  }

  #keyWhere(suits: (flag: Flag<unknown>) => boolean | undefined): string | undefined {
    return Object.entries(this.#flags).find(([, flag]) => suits(flag))?.[0];
  }

  parse(): ParsedFlags<F> {
    while (this.#at < this.#argv.length) {
      const argument = this.#argv[this.#at++] ?? "";
      if (argument === "--") {
        this.#args.push(...this.#argv.slice(this.#at));
        break;
      }
      if (argument.startsWith("--")) this.#long(argument);
      else if (argument.startsWith("-") && argument.length > 1) this.#shorts(argument.slice(1));
      else if (this.#positional(argument)) break;
    }
    return {
      // Filled above with one value for each flag of F, made by that flag.
      values: this.#values as FlagValues<F>,
      changed: this.#changed,
      args: this.#args,
      notices: this.#notices,
      wantsHelp: this.#wantsHelp || this.#values["help"] === true, // `run` lists --help among its flags
    };
  }

  /** True when parsing ends here. */
  #positional(argument: string): boolean {
    this.#args.push(argument);
    if (!this.#stopAtFirst) return false;
    this.#args.push(...this.#argv.slice(this.#at));
    return true;
  }

  #long(argument: string): void {
    const text = argument.slice(2);
    if (text.startsWith("-") || text.startsWith("=")) throw new UsageError(`bad flag syntax: ${argument}`);
    const equals = text.indexOf("=");
    const name = equals < 0 ? text : text.slice(0, equals);
    const key = this.#keyOf(name);
    const flag = key === undefined ? undefined : this.#flags[key];
    if (key === undefined || !flag) {
      if (name !== "help") throw new UsageError(`unknown flag: --${name}`);
      this.#wantsHelp = equals < 0 || readBoolean(text.slice(equals + 1), "--help");
      return;
    }
    if (flag.deprecatedNames?.includes(name)) this.#notices.push(`Flag --${name} has been deprecated, use --${flagName(key)} instead`);
    if (equals >= 0) this.#set(key, flag, text.slice(equals + 1));
    else if (flag.implied !== undefined) this.#set(key, flag, flag.implied);
    else if (this.#at < this.#argv.length) this.#set(key, flag, this.#argv[this.#at++] ?? "");
    else throw new UsageError(`flag needs an argument: --${name}`);
  }

  #shorts(text: string): void {
    let rest = text;
    while (rest.length > 0) {
      const letter = String.fromCodePoint(rest.codePointAt(0) ?? 0);
      const key = this.#keyWhere(({ short }) => short === letter);
      const flag = key === undefined ? undefined : this.#flags[key];
      if (key === undefined || !flag) {
        if (letter !== "h") throw new UsageError(`unknown shorthand flag: '${letter}' in -${rest}`);
        this.#wantsHelp = true;
        return;
      }
      const after = rest.slice(letter.length);
      if (after.length > 1 && after.startsWith("=")) return this.#set(key, flag, after.slice(1));
      if (flag.implied !== undefined) {
        this.#set(key, flag, flag.implied);
        rest = after;
        continue;
      }
      if (after.length > 0) return this.#set(key, flag, after);
      if (this.#at >= this.#argv.length) throw new UsageError(`flag needs an argument: '${letter}' in -${rest}`);
      return this.#set(key, flag, this.#argv[this.#at++] ?? "");
    }
  }

  #set(key: string, flag: Flag<unknown>, text: string): void {
    try {
      this.#values[key] = flag.set(text, this.#values[key], !this.#changed.has(key));
    } catch (error) {
      const shown = flag.short ? `-${flag.short}, --${flagName(key)}` : `--${flagName(key)}`;
      const reason = error instanceof Error ? error.message : String(error);
      throw new UsageError(`invalid argument ${JSON.stringify(text)} for "${shown}" flag: ${reason}`);
    }
    this.#changed.add(key);
  }
}

function readBoolean(text: string, shown: string): boolean {
  try {
    return parseBoolean(text);
  } catch (error) {
    throw new UsageError(`invalid argument ${JSON.stringify(text)} for "${shown}" flag: ${error instanceof Error ? error.message : ""}`);
  }
}

/** Go's strconv.ParseBool. @throws {Error} with Go's text */
export function parseBoolean(text: string): boolean {
  if (["1", "t", "T", "TRUE", "true", "True"].includes(text)) return true;
  if (["0", "f", "F", "FALSE", "false", "False"].includes(text)) return false;
  throw new Error(`strconv.ParseBool: parsing ${JSON.stringify(text)}: invalid syntax`);
}
