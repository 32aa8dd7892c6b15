import type { LogDriver } from "./drivers.ts";
import type { RecordSource } from "./forward/types.ts";

/** One of the container's two outputs; a tty has stdout only. */
export type OutputStream = "stdout" | "stderr";

/** One record of a container's log. */
export interface LogEntry {
  readonly stream: OutputStream;
  /** Nanoseconds since 1970. */
  readonly timeNano: bigint;
  /** The text, with its newline where the container wrote one; at most 16 KiB and then without. */
  readonly line: Uint8Array;
  /** `--log-opt labels/env` and what the driver adds; written by `logs --details`. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** Where a container's log goes. The driver's name and options are those of HostConfig.LogConfig, defaults applied. */
export interface LogConfig {
  readonly containerId: string;
  /** Folder with conmon's spool (`log`, `log.held`, …) and nothing else the daemon writes. */
  readonly spoolFolder: string;
  /** Folder of the driver's own files and the cursor. */
  readonly logsFolder: string;
  readonly driver: LogDriver;
  readonly options: Readonly<Record<string, string>>;
  readonly attributes: Readonly<Record<string, string>>;
  readonly tty: boolean;
  /** What the records of a driver that forwards tell of their container. */
  readonly source?: RecordSource;
}

export interface LogQuery {
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Nanoseconds since 1970; entries at or after. */
  readonly sinceNano?: bigint;
  /** Entries up to this moment; with `follow` the stream ends then. */
  readonly untilNano?: bigint;
  /** Last entries to begin with; all when absent. */
  readonly tail?: number;
  /** Go on until the container has ended, its log is removed, or the signal aborts. */
  readonly follow: boolean;
}

/** Byte position in a container's output since its start; what `attach` begins from. */
export type SpoolOffset = number;

/** One attached client's view of the output: frames of Docker's stream protocol, or raw bytes with a tty. */
export interface OutputReader extends AsyncDisposable {
  /** Next piece (at most 256 KiB), undefined at the end of the output. The buffer belongs to the caller. */
  read(): Promise<Uint8Array | undefined>;
}

export interface OutputReaderOptions {
  readonly from: SpoolOffset;
  readonly stdout: boolean;
  readonly stderr: boolean;
  /** Frames with 8-byte heads, or (tty) bytes alone. */
  readonly framed: boolean;
  /**
   * What happens when the client lags more than 64 MB: a client of a foreground `run` holds the container back by the valve; a later one is
   * ended with an error (logs.md, 2.6).
   */
  readonly lag: "hold" | "drop";
}

/**
 * The path of every byte of output: conmon's spool → log worker → driver, and spool → attached clients. Lives on the main thread and
 * speaks to one Worker for all containers.
 */
export interface LogHub {
  /**
   * Begins, or takes up again after a restart of the daemon. Called before conmon is started.
   * @param again  the container runs already: a server that cannot be reached now is waited for
   * @throws {EngineError} `unavailable` with dockerd's text when the driver's server cannot be reached
   */
  open(config: LogConfig, again?: boolean): Promise<void>;
  /** What a container that does not run has printed and its server has not got yet, after a restart of the daemon. */
  sendRest(config: LogConfig): Promise<void>;
  /**
   * The valve: given the path of conmon's attach socket once the container exists, so that a reader with `lag: "hold"` can stop the container.
   * Without it nobody is held back.
   */
  setValve(containerId: string, attachSocket: string): void;
  /** Opens the valve for good: before stop, kill, and when the process has ended. */
  releaseValve(containerId: string): void;
  /** The container has ended (its exit file is there). Resolves when the spool is converted to its end and deleted. */
  finish(containerId: string): Promise<void>;
  /** Offset of the end of output now. */
  offset(containerId: string): SpoolOffset;
  /** An attached client. Ends by itself when the output ends. */
  attach(containerId: string, options: OutputReaderOptions, signal: AbortSignal): OutputReader;
  /** Entries of the driver's log. @throws {EngineError} `not_implemented` with Docker's text when the driver keeps none */
  read(config: LogConfig, query: LogQuery, signal: AbortSignal): AsyncIterable<readonly LogEntry[]>;
  /** Forgets the container and removes its log files. Followers end. */
  remove(containerId: string, folders: { readonly spoolFolder: string; readonly logsFolder: string }): Promise<void>;
  /** Stops the worker after all that is written has been converted. */
  close(): Promise<void>;
}
