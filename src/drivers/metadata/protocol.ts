import type { TableName } from "./schema.ts";

/** One change of one row; a null body deletes it. */
export interface RowChange {
  readonly table: TableName | "event";
  readonly key: string;
  readonly body: string | null;
}

export interface EventRow {
  readonly key: string;
  readonly body: string;
}

/** Main thread → store worker. */
export type StoreRequest =
  | { readonly type: "open"; readonly path: string }
  | {
      readonly type: "commit";
      readonly sequence: number;
      readonly changes: readonly RowChange[];
      /** `required`: a failure (full disk) is told and the change dropped. `observed`: kept and tried again until it is on disk. */
      readonly durability: "required" | "observed";
      /** False: it may be lost with the machine's power, though not with the daemon. */
      readonly synced: boolean;
    }
  /** Events with keys above `after`, oldest first, at most `limit`. */
  | { readonly type: "events"; readonly sequence: number; readonly after: string; readonly limit: number }
  | { readonly type: "close" };

/** Store worker → main thread. */
export type StoreReply =
  | { readonly type: "opened"; readonly rows: readonly { readonly table: TableName; readonly key: string; readonly body: string }[] }
  | { readonly type: "refused"; readonly message: string }
  | { readonly type: "committed"; readonly sequences: readonly number[] }
  | { readonly type: "events"; readonly sequence: number; readonly rows: readonly EventRow[] }
  | { readonly type: "failed"; readonly sequence: number; readonly message: string; readonly diskFull: boolean }
  | { readonly type: "closed" };
