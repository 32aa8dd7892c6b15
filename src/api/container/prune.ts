import type { ContainerService } from "#engine/container/service.ts";
import { queryFilters, type Filters } from "../decode/filters.ts";
import type { ApiRequest } from "../http/request.ts";
import { json, type ApiResponse } from "../http/response.ts";
import { isDryRun, plannedReport, type PruneItem, type PrunePlan } from "../prune/plan.ts";
import { pruneFilters } from "./filters.ts";

export const containerPruneFilters = ["label", "label!", "until"];

export async function prune({ containers }: { readonly containers: ContainerService }, { query }: ApiRequest): Promise<ApiResponse> {
  const filters = queryFilters(query, containerPruneFilters);
  if (isDryRun(query)) {
    const plan = await containerPrunePlan(containers, filters);
    return json(200, { ContainersDeleted: plan.deleted.length > 0 ? plan.deleted : null, ...plannedReport(plan) });
  }
  const { deleted, reclaimedBytes } = await containers.prune(pruneFilters(filters));
  return json(200, { ContainersDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimedBytes });
}

export async function containerPrunePlan(containers: ContainerService, filters: Filters): Promise<PrunePlan> {
  const items: PruneItem[] = [];
  for (const { id, name } of containers.prunable(pruneFilters(filters)))
    items.push({ Id: id, Names: [name], Size: (await containers.size(id)).sizeBytes });
  return { deleted: items.map(({ Id }) => Id), items };
}
