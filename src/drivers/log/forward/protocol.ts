import type { LogConfig } from "../types.ts";

/** Main thread → sender worker. */
export type ForwardRequest =
  /** @param connectFirst  the container is being started: answered with an error when its driver wants a server that is not there */
  | {
      readonly type: "open";
      readonly sequence: number;
      readonly config: LogConfig;
      readonly connectFirst: boolean;
      readonly ended: boolean;
    }
  /** The log has its last line, for now. */
  | { readonly type: "end"; readonly containerId: string }
  /** The log is removed: answered when it is sent, or when that has been waited for long enough. */
  | { readonly type: "remove"; readonly sequence: number; readonly containerId: string }
  | { readonly type: "close"; readonly sequence: number };

/** Sender worker → main thread. */
export type ForwardReply =
  | { readonly type: "done"; readonly sequence: number; readonly error?: string }
  /** Something that the daemon's log should tell. */
  | { readonly type: "trouble"; readonly containerId: string; readonly message: string };
