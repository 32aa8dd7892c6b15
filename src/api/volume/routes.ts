import type { VolumeService } from "#engine/volume/service.ts";
import { EngineError, messageOf } from "#lib/errors.ts";
import type { VolumeRecord } from "#types/record/volume.ts";
import { matchesLabels, matchesName, valuesOf } from "../filters.ts";
import { empty, json } from "../http/response.ts";
import { del, get, post, put, type AnyRoute } from "../http/route.ts";
import { prune } from "./prune.ts";
import { queryBoolean } from "../decode/query.ts";
import { booleanFilter, queryFilters, type Filters } from "../decode/filters.ts";
import { readJsonBody } from "../decode/request-body.ts";

/** Source: Engine API, tag Volume. */
export function volumeRoutes(volumes: VolumeService): AnyRoute[] {
  return [
    get("/volumes", ({ query }) => {
      const filters = listFilters(query);
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
        options: body.DriverOpts ?? null,
        labels: body.Labels ?? null,
      });
      return json(201, toVolume(volumes, record));
    }),
    post("/volumes/prune", (request) => prune(volumes, request)),
    put("/volumes/:name", () => {
      throw new EngineError("unavailable", "volume update only valid for cluster volumes, but swarm is unavailable");
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
    Labels: record.labels,
    Mountpoint: volumes.path(record),
    Name: record.name,
    Options: record.options,
    Scope: "local",
    ...(usage && { UsageData: { RefCount: usage.references, Size: usage.sizeBytes } }),
  };
}

function volumeTest(volumes: VolumeService, filters: Filters): (record: VolumeRecord) => boolean {
  const dangling = booleanFilter(filters, "dangling");
  const drivers = valuesOf(filters, "driver");
  const names = valuesOf(filters, "name");
  return (record) => {
    if (dangling !== undefined && dangling !== (volumes.users(record.name).size === 0)) return false;
    if (drivers.length > 0 && !drivers.includes(record.driver)) return false;
    if (names.length > 0 && !names.some((name) => matchesName(record.name, name))) return false;
    return !filters.has("label") || matchesLabels(record.labels ?? {}, valuesOf(filters, "label"));
  };
}

/** The list says where what it cannot read was found, unlike those of the other nouns. */
function listFilters(query: URLSearchParams): Filters {
  try {
    queryFilters(query);
  } catch (error) {
    throw new EngineError("invalid", `error reading volume filters: ${messageOf(error)}`, { cause: error });
  }
  return queryFilters(query, ["dangling", "driver", "label", "name"]);
}
