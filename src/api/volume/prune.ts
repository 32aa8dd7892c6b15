import { anonymousLabel, type VolumeService } from "#engine/volume/service.ts";
import { EngineError, isKind } from "#lib/errors.ts";
import type { VolumeRecord } from "#types/record/volume.ts";
import { queryFilters, type Filters } from "../decode/filters.ts";
import { matchesLabels, valuesOf } from "../filters.ts";
import type { ApiRequest } from "../http/request.ts";
import { json, type ApiResponse } from "../http/response.ts";
import { apiVersionOf, type ApiVersion } from "../http/version.ts";
import { isDryRun, plannedReport, type PruneItem, type PrunePlan } from "../prune/plan.ts";

export const volumePruneFilters = ["label", "label!", "all"];

export async function prune(volumes: VolumeService, { query, apiVersion }: ApiRequest): Promise<ApiResponse> {
  const filters = queryFilters(query, volumePruneFilters);
  if (isDryRun(query)) {
    const plan = await volumePrunePlan(volumes, { filters, apiVersion, without: new Set() });
    return json(200, { VolumesDeleted: plan.deleted, ...plannedReport(plan) });
  }
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const record of selected(volumes, { filters, apiVersion, without: new Set() })) {
    const sizeBytes = await volumes.usage(record);
    try {
      await volumes.remove(record.name, true);
    } catch (error) {
      if (isKind(error, "conflict")) continue; // a container has come meanwhile
      throw error;
    }
    deleted.push(record.name);
    reclaimed += sizeBytes;
  }
  volumes.announcePrune(reclaimed);
  return json(200, { VolumesDeleted: deleted, SpaceReclaimed: reclaimed });
}

export interface VolumePrune {
  readonly filters: Filters;
  readonly apiVersion: ApiVersion;
  /** Containers that are taken for removed. */
  readonly without: ReadonlySet<string>;
}

export async function volumePrunePlan(volumes: VolumeService, request: VolumePrune): Promise<PrunePlan> {
  const items: PruneItem[] = [];
  for (const record of selected(volumes, request)) items.push({ Id: record.name, Names: [record.name], Size: await volumes.usage(record) });
  return { deleted: items.map(({ Id }) => Id), items };
}

function selected(volumes: VolumeService, { filters, apiVersion, without }: VolumePrune): VolumeRecord[] {
  const all = wantsAll(filters, apiVersion);
  return volumes.list().filter((record) => {
    const { name } = record;
    const labels = record.labels ?? {};
    if ([...volumes.users(name)].some((id) => !without.has(id))) return false;
    if (!all && !Object.hasOwn(labels, anonymousLabel)) return false;
    if (filters.has("label") && !matchesLabels(labels, valuesOf(filters, "label"))) return false;
    return !(filters.has("label!") && matchesLabels(labels, valuesOf(filters, "label!")));
  });
}

/** Anonymous volumes only, since 1.42, unless `all` is true in one of Go's spellings. */
function wantsAll(filters: Filters, apiVersion: ApiVersion): boolean {
  const values = valuesOf(filters, "all");
  if (values.length > 1) throw new EngineError("invalid", `invalid filter 'all=[${values.join(" ")}]': only one value is expected`);
  const [value] = values;
  const isTrue = value !== undefined && ["1", "t", "T", "true", "TRUE", "True"].includes(value);
  if (value !== undefined && !isTrue && !["0", "f", "F", "false", "FALSE", "False"].includes(value))
    throw new EngineError("invalid", `invalid filter 'all': strconv.ParseBool: parsing ${JSON.stringify(value)}: invalid syntax`);
  return isTrue || apiVersion < apiVersionOf(1, 42);
}
