import { anonymousLabel, type VolumeService } from "#engine/volume/service.ts";
import { EngineError } from "#lib/errors.ts";
import type { VolumeRecord } from "#types/record/volume.ts";
import { matchesLabels, matchesName, valuesOf } from "../filters.ts";
import type { ApiRequest } from "../http/request.ts";
import { empty, json, type ApiResponse } from "../http/response.ts";
import { del, get, post, put, type AnyRoute } from "../http/route.ts";
import { apiVersionOf } from "../http/version.ts";
import { queryBoolean } from "../decode/query.ts";
import { queryFilters, type Filters } from "../decode/filters.ts";
import { readJsonBody } from "../decode/request-body.ts";

/** Source: Engine API, tag Volume. */
export function volumeRoutes(volumes: VolumeService): AnyRoute[] {
  return [
    get("/volumes", ({ query }) => {
      const filters = queryFilters(query, ["dangling", "driver", "label", "name"]);
      return json(200, {
        Volumes: volumes
          .list()
          .filter(volumeTest(volumes, filters))
          .map((record) => toVolume(volumes, record)),
        Warnings: null,
      });
    }),
    get("/volumes/:name", ({ params }) => json(200, toVolume(volumes, volumes.get(params.name)))),
    post("/volumes/create", async (request) => {
      const body = await readJsonBody("VolumeCreate", request);
      if (body.ClusterVolumeSpec)
        throw new EngineError(
          "unavailable",
          'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
        );
      const record = await volumes.create({
        ...(body.Name && { name: body.Name }),
        ...(body.Driver && { driver: body.Driver }),
        options: body.DriverOpts ?? {},
        labels: body.Labels ?? {},
      });
      return json(201, toVolume(volumes, record));
    }),
    post("/volumes/prune", (request) => prune(volumes, request)),
    put("/volumes/:name", () => {
      throw new EngineError(
        "unavailable",
        'This node is not a swarm manager. Use "docker swarm init" or "docker swarm join" to connect this node to swarm and try again.',
      );
    }),
    del("/volumes/:name", async ({ params, query }) => {
      await volumes.remove(params.name, queryBoolean(query, "force"));
      return empty(204);
    }),
  ];
}

export function toVolume(
  volumes: VolumeService,
  record: VolumeRecord,
  usage?: { readonly sizeBytes: number; readonly references: number },
): unknown {
  return {
    CreatedAt: record.createdAt,
    Driver: record.driver,
    Labels: Object.keys(record.labels).length > 0 ? record.labels : null,
    Mountpoint: volumes.path(record),
    Name: record.name,
    Options: Object.keys(record.options).length > 0 ? record.options : null,
    Scope: "local",
    ...(usage && { UsageData: { RefCount: usage.references, Size: usage.sizeBytes } }),
  };
}

function volumeTest(volumes: VolumeService, filters: Filters): (record: VolumeRecord) => boolean {
  const dangling = valuesOf(filters, "dangling").map((value) => value === "true" || value === "1");
  const drivers = valuesOf(filters, "driver");
  const names = valuesOf(filters, "name");
  return (record) => {
    if (dangling.length > 0 && !dangling.includes(volumes.users(record.name).size === 0)) return false;
    if (drivers.length > 0 && !drivers.includes(record.driver)) return false;
    if (names.length > 0 && !names.some((name) => matchesName(record.name, name))) return false;
    return !filters.has("label") || matchesLabels(record.labels, valuesOf(filters, "label"));
  };
}

/** Anonymous volumes only, since 1.42, unless all are asked for. */
async function prune(volumes: VolumeService, { query, apiVersion }: ApiRequest): Promise<ApiResponse> {
  const filters = queryFilters(query, ["label", "label!", "all"]);
  const all = apiVersion < apiVersionOf(1, 42) || valuesOf(filters, "all").some((value) => value === "true" || value === "1");
  const deleted: string[] = [];
  let reclaimed = 0;
  for (const record of volumes.list()) {
    if (volumes.users(record.name).size > 0) continue;
    if (!all && !(anonymousLabel in record.labels)) continue;
    if (filters.has("label") && !matchesLabels(record.labels, valuesOf(filters, "label"))) continue;
    if (filters.has("label!") && matchesLabels(record.labels, valuesOf(filters, "label!"))) continue;
    const sizeBytes = await volumes.usage(record);
    await volumes.remove(record.name, true);
    deleted.push(record.name);
    reclaimed += sizeBytes;
  }
  volumes.announcePrune(reclaimed);
  return json(200, { VolumesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed });
}
