import type { ContainerService } from "#engine/container/service.ts";
import type { NetworkService } from "#engine/network/service.ts";
import { parseTimeNano } from "#lib/clock.ts";
import { isKind } from "#lib/errors.ts";
import type { NetworkRecord } from "#types/record/network.ts";
import { queryFilters, type Filters } from "../decode/filters.ts";
import { matchesLabels, parseUntil, valuesOf } from "../filters.ts";
import type { ApiRequest } from "../http/request.ts";
import { json, type ApiResponse } from "../http/response.ts";
import { isDryRun, plannedReport, type PrunePlan } from "../prune/plan.ts";

interface Services {
  readonly networks: NetworkService;
  readonly containers: ContainerService;
}

export const networkPruneFilters = ["label", "label!", "until"];

export async function prune(services: Services, { query }: ApiRequest): Promise<ApiResponse> {
  const { networks, containers } = services;
  const filters = queryFilters(query, networkPruneFilters);
  if (isDryRun(query)) {
    const plan = networkPrunePlan(services, filters);
    return json(200, { NetworksDeleted: plan.deleted.length > 0 ? plan.deleted : null, ...plannedReport(plan) });
  }
  const deleted: string[] = [];
  for (const { config } of selected(networks, filters)) {
    try {
      await networks.remove(config.id, (networkId) => containers.endpointsOf(networkId));
      deleted.push(config.name);
    } catch (error) {
      if (!isKind(error, "forbidden", "not_found")) throw error; // has endpoints, or was removed meanwhile
    }
  }
  networks.announcePrune();
  return json(200, { NetworksDeleted: deleted.length > 0 ? deleted : null });
}

/** Stopped containers do not keep a network. */
export function networkPrunePlan({ networks, containers }: Services, filters: Filters): PrunePlan {
  const unused = selected(networks, filters).filter(({ config }) => containers.endpointsOf(config.id).length === 0);
  return {
    deleted: unused.map(({ config }) => config.name),
    items: unused.map(({ config }) => ({ Id: config.id, Names: [config.name], Size: 0 })),
  };
}

function selected(networks: NetworkService, filters: Filters): NetworkRecord[] {
  const until = parseUntil(filters);
  return networks.list().filter(({ config, labels, createdAt }) => {
    if (["bridge", "host", "none"].includes(config.name)) return false;
    if (filters.has("label") && !matchesLabels(labels, valuesOf(filters, "label"))) return false;
    if (filters.has("label!") && matchesLabels(labels, valuesOf(filters, "label!"))) return false;
    return until === undefined || (parseTimeNano(createdAt) ?? 0n) < until;
  });
}
