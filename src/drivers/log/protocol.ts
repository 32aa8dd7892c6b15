import type { LogConfig, SpoolOffset } from "./types.ts";

/** Why the container is to wait. */
export type PressureReason = "converter" | "disk" | "server";

/** What can be tuned; tests use small numbers. */
export interface LogLimits {
  /** A converter or reader this far behind the end holds the container, or is ended… */
  readonly lagBytes: number;
  /** How long a container waits for a full disk, or for a server that is away, before its output is dropped. */
  readonly diskFullWaitMilliseconds: number;
  /** Space of a spool is given back in pieces of this size. */
  readonly freeStepBytes: number;
  /** The next segment is prepared when the first one has this size: few containers print so much. */
  readonly pinFromBytes: number;
  /** What a server that is away may still get later; behind that the oldest is lost. */
  readonly unsentBytes: number;
}

export const defaultLimits: LogLimits = {
  lagBytes: 64 << 20,
  diskFullWaitMilliseconds: 30_000,
  freeStepBytes: 8 << 20,
  pinFromBytes: 64 << 10,
  unsentBytes: 100_000_000,
};

/** Main thread → log worker. `key` names one run of one container; a container started again has a new one. */
export type LogRequest =
  | {
      readonly type: "open";
      readonly sequence: number;
      readonly key: number;
      readonly config: LogConfig;
      readonly offsets: SharedArrayBuffer;
      readonly limits: LogLimits;
    }
  /** Answered when all that is in the spool now is in the log, or cannot be written. */
  | { readonly type: "flush"; readonly sequence: number; readonly key: number }
  /** conmon is gone: convert to the end, remove the spool. */
  | { readonly type: "finish"; readonly sequence: number; readonly key: number }
  /** The last reader of a finished run is gone. */
  | { readonly type: "release"; readonly key: number }
  /** Forgets a run that is not finished, if there is one, and removes folders. */
  | { readonly type: "remove"; readonly sequence: number; readonly key: number | undefined; readonly folders: readonly string[] }
  | { readonly type: "close"; readonly sequence: number };

/** Log worker → main thread. */
export type LogReply =
  | { readonly type: "done"; readonly sequence: number; readonly error?: string }
  /** A segment of the spool begins at `base`; its descriptor stays open while a reader needs a byte of it. */
  | { readonly type: "segment"; readonly key: number; readonly base: SpoolOffset; readonly descriptor: number }
  /** Lines were written; sent only while somebody follows. */
  | { readonly type: "progress"; readonly key: number }
  | { readonly type: "pressure"; readonly key: number; readonly reason: PressureReason; readonly on: boolean }
  | { readonly type: "ended"; readonly key: number; readonly end: SpoolOffset }
  /** Something that the daemon's log should tell. */
  | { readonly type: "trouble"; readonly containerId: string; readonly message: string };
