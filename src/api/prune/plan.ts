import { queryBoolean } from "../decode/query.ts";

/** Something that a prune would remove. */
export interface PruneItem {
  readonly Id: string;
  readonly Names: readonly string[];
  /** Bytes that are free then. */
  readonly Size: number;
}

/** What a prune would do, and nothing done. */
export interface PrunePlan {
  /** As the prune itself would tell it. */
  readonly deleted: readonly unknown[];
  readonly items: readonly PruneItem[];
}

/** `dry-run=1`, which dockerd does not know: nothing is removed, and the answer tells what would be. */
export function isDryRun(query: URLSearchParams): boolean {
  return queryBoolean(query, "dry-run");
}

export function reclaimedBytes({ items }: PrunePlan): number {
  return items.reduce((sum, { Size }) => sum + Size, 0);
}

/** What the answer to a dry run has beside the list that every prune has. */
export function plannedReport(plan: PrunePlan) {
  return { SpaceReclaimed: reclaimedBytes(plan), DryRun: true, Items: plan.items };
}
