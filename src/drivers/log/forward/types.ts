import type { OutputStream } from "../types.ts";

/** A line as a server gets it. */
export interface ForwardRecord {
  readonly stream: OutputStream;
  /** Nanoseconds since 1970. */
  readonly timeNano: bigint;
  /** Without a newline; at most 16 KiB. */
  readonly text: Buffer;
  /** Its number in the container's log, from 1. */
  readonly ordinal: number;
  /** Of lines longer than that, and of a last line without a newline. */
  readonly part?: LinePartOf;
}

export interface LinePartOf {
  readonly id: string;
  /** From 1. */
  readonly ordinal: number;
  readonly last: boolean;
}

/** What all records of one container tell of it. */
export interface RecordSource {
  readonly containerId: string;
  /** Without the slash. */
  readonly containerName: string;
  readonly imageId: string;
  readonly imageName: string;
  /** RFC 3339. */
  readonly createdAt: string;
  /** Entrypoint and arguments. */
  readonly command: string;
  readonly tag: string;
  /** From the options labels, labels-regex, env and env-regex. */
  readonly attributes: Readonly<Record<string, string>>;
}

/** A connection to where records go. What it is given is sent in order. */
export interface RecordSender extends AsyncDisposable {
  /**
   * Resolves when the server has the records, as far as its protocol can tell. Rejects when it cannot be known: then they are sent again, on
   * another connection.
   */
  send(records: readonly ForwardRecord[], signal: AbortSignal): Promise<void>;
  /** Resolves when the connection is gone; undefined where that cannot be known. */
  readonly closed: Promise<void> | undefined;
  /** What the server has received when `send` resolves is known, not only handed to the kernel. */
  readonly confirms: boolean;
}

/** A driver: how it connects, and how it goes on when it cannot. */
export interface ForwardTarget {
  /** @throws {EngineError} with dockerd's text */
  connect(signal: AbortSignal): Promise<RecordSender>;
  /** A container is not started when the server cannot be reached. */
  readonly connectFirst: boolean;
  readonly retryWaitMilliseconds: number;
  /** Times longer with each attempt. */
  readonly retryGrowth: number;
  /** After so many attempts the records are given up; undefined: never. */
  readonly maxRetries: number | undefined;
  /** The connection is made anew after so long; 0: never. */
  readonly reconnectMilliseconds: number;
}
