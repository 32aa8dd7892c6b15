import type { ContainerService } from "#engine/container/service.ts";
import type { ImageService } from "#engine/image/service.ts";
import type { NetworkService } from "#engine/network/service.ts";
import type { VolumeService } from "#engine/volume/service.ts";
import { EngineError } from "#lib/errors.ts";
import { containerPruneFilters, containerPrunePlan } from "../container/prune.ts";
import { queryFilters, type Filters } from "../decode/filters.ts";
import type { ApiRequest } from "../http/request.ts";
import { json, type ApiResponse } from "../http/response.ts";
import { get, type AnyRoute } from "../http/route.ts";
import { imagePruneFilters, imagePrunePlan } from "../image/prune.ts";
import { networkPruneFilters, networkPrunePlan } from "../network/prune.ts";
import { volumePruneFilters, volumePrunePlan } from "../volume/prune.ts";
import { reclaimedBytes, type PrunePlan } from "./plan.ts";

interface Services {
  readonly containers: ContainerService;
  readonly images: ImageService;
  readonly networks: NetworkService;
  readonly volumes: VolumeService;
}

const acceptedFilters = {
  container: containerPruneFilters,
  network: networkPruneFilters,
  volume: volumePruneFilters,
  image: imagePruneFilters,
} as const;
type Noun = keyof typeof acceptedFilters;

/**
 * What prunes would remove, of several nouns one after the other as `system prune` has them: what a removed container held is free for those
 * that follow. Our own route, and a GET, so that no daemon takes it for a prune.
 */
export function pruneRoutes(services: Services): AnyRoute[] {
  return [get("/gantry/prune", (request) => plan(services, request))];
}

async function plan(services: Services, { query, apiVersion }: ApiRequest): Promise<ApiResponse> {
  const nouns = query.getAll("of").map(toNoun);
  if (nouns.length === 0) throw new EngineError("invalid", `parameter of is missing: ${Object.keys(acceptedFilters).join(", ")}`);
  const filters = queryFilters(query, [...new Set(nouns.flatMap((noun) => [...acceptedFilters[noun]]))]);
  const { containers, volumes } = services;
  const none: PrunePlan = { deleted: [], items: [] };
  const has = (noun: Noun): boolean => nouns.includes(noun);
  const ofContainers = has("container") ? await containerPrunePlan(containers, limited(filters, "container")) : none;
  const without = new Set(ofContainers.items.map(({ Id }) => Id));
  const plans = [
    ["Containers", has("container") ? ofContainers : undefined],
    ["Networks", has("network") ? networkPrunePlan(services, limited(filters, "network")) : undefined],
    ["Volumes", has("volume") ? await volumePrunePlan(volumes, { filters: limited(filters, "volume"), apiVersion, without }) : undefined],
    ["Images", has("image") ? imagePrunePlan(services, limited(filters, "image"), without) : undefined],
  ] as const;
  const known = plans.flatMap(([title, one]) => (one ? [[title, one] as const] : []));
  return json(200, {
    ...Object.fromEntries(known.map(([title, { items }]) => [title, items])),
    SpaceReclaimed: known.reduce((sum, [, one]) => sum + reclaimedBytes(one), 0),
  });
}

function toNoun(text: string): Noun {
  const noun = (Object.keys(acceptedFilters) as Noun[]).find((one) => one === text);
  if (!noun) throw new EngineError("invalid", `nothing of the kind ${JSON.stringify(text)} is pruned`);
  return noun;
}

const limited = (filters: Filters, noun: Noun): Filters => new Map([...filters].filter(([name]) => acceptedFilters[noun].includes(name)));
