import type { Stage } from "./stage.ts";

/** One recorded answer to an API call. Bodies are shapes (shape.ts); those of errors and of plain text are the normalised text itself. */
export interface CallFact {
  readonly call: string;
  readonly status: number;
  readonly type: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: unknown;
}

/** What Docker's client has printed, and how it ended. */
export interface CommandFact {
  readonly command: string;
  readonly code: number;
  readonly stdout: readonly string[];
  readonly stderr: readonly string[];
}

/** What a hijacked or followed stream has carried until its end. */
export interface StreamFact {
  readonly stream: string;
  readonly status: number;
  readonly type: string;
  readonly stdout: string;
  readonly stderr: string;
}

/** Events of the play's own objects, in order: `type action key=value …`. */
export interface EventsFact {
  readonly events: readonly string[];
}

/** Something a play has found out by its own means. */
export interface NoteFact {
  readonly note: string;
  readonly value: unknown;
}

export type Fact = CallFact | CommandFact | StreamFact | EventsFact | NoteFact;

/** A short session with a daemon. It touches only objects it made, which the stage removes afterwards. */
export interface Play {
  /** A sentence about what is tried; the key of its recorded facts. */
  readonly name: string;
  /** No other play runs meanwhile: for those that look at everything the daemon has. */
  readonly alone: boolean;
  readonly act: (stage: Stage) => Promise<void>;
}

export function play(name: string, act: (stage: Stage) => Promise<void>): Play {
  return { name, act, alone: false };
}

/** A play that nothing else may run beside. */
export function solo(name: string, act: (stage: Stage) => Promise<void>): Play {
  return { name, act, alone: true };
}

/** Plays of one noun; `noun` is the name of the file of recorded facts. */
export interface PlayBook {
  readonly noun: string;
  /** Played with a daemon that was started with `--experimental`; all others with one that was not. */
  readonly experimental?: true;
  readonly plays: readonly Play[];
}
