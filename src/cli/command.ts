import type { Client } from "#client/client.ts";
import type { ConfigFile } from "#client/config-file.ts";
import type { FlagSet, FlagValues } from "./flags.ts";
import type { Output } from "./output.ts";

/** How many arguments a command takes. */
export interface ArgumentRule {
  readonly minimum: number;
  readonly maximum: number;
}

export const noArguments: ArgumentRule = { minimum: 0, maximum: 0 };
export const anyNumber: ArgumentRule = { minimum: 0, maximum: Infinity };
export const exactly = (count: number): ArgumentRule => ({ minimum: count, maximum: count });
export const atLeast = (minimum: number): ArgumentRule => ({ minimum, maximum: Infinity });
export const atMost = (maximum: number): ArgumentRule => ({ minimum: 0, maximum });
export const between = (minimum: number, maximum: number): ArgumentRule => ({ minimum, maximum });

/** Everything a command works with. It reads no global state: a test can run it with outputs of its own. */
export interface Invocation<F extends FlagSet = FlagSet> {
  /** As typed: `gantry container ls`, or `docker ps`. */
  readonly commandPath: string;
  readonly program: "gantry" | "docker";
  readonly args: readonly string[];
  readonly flags: FlagValues<F>;
  /** Names of the flags that were given. */
  readonly changed: ReadonlySet<string>;
  readonly client: Client;
  readonly config: () => Promise<ConfigFile>;
  readonly environment: Readonly<Record<string, string | undefined>>;
  readonly out: Output;
  readonly err: Output;
  /** Whether descriptor 0, 1 or 2 is a terminal. */
  readonly isTerminal: (descriptor: 0 | 1 | 2) => Promise<boolean>;
}

/** What help and completion know of a command. */
export interface Description {
  /** What follows the command's name in the usage line. */
  readonly usage: string;
  readonly args: ArgumentRule;
  readonly flags: FlagSet;
  /** Flags after the first argument belong to the program in the container. */
  readonly stopAtFirstArgument?: boolean;
  /** Shown at the end of help, one command line each, without the program's name. */
  readonly examples?: readonly string[];
  /** What the arguments are, for completion in a shell. */
  readonly completes?: "containers" | "running" | "images" | "networks" | "volumes" | "files";
}

export interface Command extends Description {
  /** @returns the exit code, 0 if nothing */
  run(invocation: Invocation): Promise<number | void>;
}

type Definition<F extends FlagSet> = Omit<Command, "flags" | "run"> & {
  readonly flags: F;
  run(invocation: Invocation<F>): Promise<number | void>;
};

/** Declares a command as data; `flags` decide the type of `invocation.flags`. */
export function command<const F extends FlagSet>(definition: Definition<F>): Command {
  // The parser makes the values from these very flags, so forgetting the narrower type is safe.
  return definition;
}

interface Named {
  readonly name: string;
  readonly otherNames: readonly string[];
  readonly summary: string;
}

/** A command of the client: its module is loaded when it is called, or when its help is asked for. */
export interface CommandLeaf extends Named {
  readonly kind: "command";
  readonly load: () => Promise<Command>;
  /** Works without a daemon and without the client's configuration. */
  readonly isLocal?: boolean;
  readonly isHidden?: boolean;
}

/**
 * A command of the executable that is no client of a daemon. `src/main.ts` answers it before this layer is loaded; here it has its place in
 * help, completion and suggestions, and nothing to run.
 */
export interface ExternalLeaf extends Named {
  readonly kind: "external";
  readonly load: () => Promise<Description>;
}

export type Leaf = CommandLeaf | ExternalLeaf;

export interface Group {
  readonly name: string;
  readonly summary: string;
  readonly children: readonly Leaf[];
}
