import type { ContainerService } from "#engine/container/service.ts";
import { isRunning } from "#engine/container/state.ts";
import type { ImageCommits } from "#engine/image/commit/commit.ts";
import type { ImageService } from "#engine/image/service.ts";
import type { Housekeeper } from "#engine/image/housekeeping/housekeeper.ts";
import { loadImages } from "#engine/image/load.ts";
import { matchesPlatform, parsePlatform } from "#engine/image/platform.ts";
import { pullImage, type PullDependencies } from "#engine/image/pull.ts";
import type { PushDependencies } from "#engine/image/push.ts";
import { EngineError } from "#lib/errors.ts";
import { parseReference, withDefaultTag, withTagOrDigest } from "#lib/reference.ts";
import type { ImageRecord } from "#types/record/image.ts";
import type { ApiRequest } from "../http/request.ts";
import { empty, json, stream, type ApiResponse } from "../http/response.ts";
import { del, get, post, type AnyRoute } from "../http/route.ts";
import { save } from "./save.ts";
import { selectImages } from "./filters.ts";
import { housekeepingRoutes } from "./housekeeping.ts";
import { commit } from "./commit.ts";
import { importFrom } from "./import.ts";
import { progressStream } from "./progress.ts";
import { push } from "./push.ts";
import { registryRoutes } from "./registry-routes.ts";
import { createdSeconds, referencesOf, sharedBytesOf, shownReferences, toImageInspect, toImageSummary, toListed } from "./summary.ts";
import { queryBoolean } from "../decode/query.ts";
import { booleanFilter, queryFilters } from "../decode/filters.ts";

export interface ImageRouteServices {
  readonly images: ImageService;
  readonly containers: ContainerService;
  readonly pull: PullDependencies;
  readonly push: PushDependencies;
  readonly commits: ImageCommits;
  readonly housekeeper: Housekeeper;
  readonly snapshotter: string;
}

/** Source: Engine API, tag Image. */
export function imageRoutes(services: ImageRouteServices): AnyRoute[] {
  const { images, containers } = services;
  return [
    get("/images/json", (request) => list(services, request)),
    get("/images/get", (request) => save(services.push, request, request.query.getAll("names"))),
    get("/images/:name*/get", (request) => save(services.push, request, [request.params.name])),
    post("/images/create", (request) => create(services, request)),
    post("/images/load", (request) => load(services, request)),
    post("/commit", (request) => commit(services.commits, request)),
    post("/images/prune", (request) => prune(services, request)),
    get("/images/:name*/json", ({ params, query, apiVersion }) => {
      const image = images.find(params.name);
      const platform = query.get("platform") ?? "";
      if (platform !== "" && !matchesPlatform(parsePlatform(platform), image))
        throw new EngineError("not_found", `No such image: ${params.name}`);
      return json(200, toImageInspect(images, image, services.snapshotter, apiVersion));
    }),
    get("/images/:name*/history", ({ params }) => json(200, history(images, images.find(params.name)))),
    post("/images/:name*/push", (request) => push(services, request)),
    post("/images/:name*/tag", async ({ params, query }) => {
      await images.tag(params.name, query.get("repo") ?? "", query.get("tag") ?? "");
      return empty(201);
    }),
    del("/images/:name*", async ({ params, query }) => {
      const removed = await images.remove(
        params.name,
        { force: queryBoolean(query, "force"), prune: !queryBoolean(query, "noprune") },
        (id) => [
          ...usersOf(containers, id),
          ...(queryBoolean(query, "force") || isId(params.name, id) ? [] : mountUsersOf(containers, id)),
        ],
      );
      return json(200, removed);
    }),
    ...registryRoutes(services),
    ...housekeepingRoutes(services.housekeeper),
  ];
}

function usersOf(containers: ContainerService, imageId: string): { id: string; running: boolean }[] {
  return containers
    .list()
    .filter((record) => record.imageId === imageId)
    .map((record) => ({ id: record.id, running: isRunning(record.state) }));
}

/** Who has it mounted as a volume: as in Docker they keep its last name, unless it is forced, and its layers anyway. */
function mountUsersOf(containers: ContainerService, imageId: string): { id: string; running: boolean }[] {
  const users = containers.list().filter(({ mounts }) => mounts.some(({ image }) => image?.id === imageId));
  return users.map(({ id }) => ({ id, running: false }));
}

function isId(text: string, imageId: string): boolean {
  return imageId.replace("sha256:", "").startsWith(text.replace("sha256:", ""));
}

function list({ images, containers }: ImageRouteServices, { query, apiVersion }: ApiRequest): ApiResponse {
  const filters = queryFilters(query, ["before", "dangling", "label", "reference", "since", "until"]);
  const sharedBytes = queryBoolean(query, "shared-size") ? sharedBytesOf(images.list()) : (): number => -1;
  const selected = selectImages(images, filters);
  const shown = queryBoolean(query, "all") ? selected : selected.filter(({ image }) => !images.isIntermediate(image.id));
  return json(
    200,
    shown.map(({ image, names }) => {
      const counts = { containers: usersOf(containers, image.id).length, sharedBytes: sharedBytes(image) };
      return toListed(toImageSummary(images, image, names, counts, apiVersion), apiVersion);
    }),
  );
}

/** Pull (`fromImage`) or import (`fromSrc`). */
async function create(services: ImageRouteServices, request: ApiRequest): Promise<ApiResponse> {
  const { query, headers, signal } = request;
  const name = query.get("fromImage") ?? "";
  if (name === "") {
    if (query.get("fromSrc")) return importFrom(services.pull, request);
    throw new EngineError("invalid", "one of the parameters fromImage and fromSrc is needed");
  }
  const tag = query.get("tag") ?? "";
  const named = tag === "" ? parseReference(name) : withTagOrDigest(parseReference(name), tag);
  const reference = withDefaultTag(named);
  const allTags = named.tag === undefined && named.digest === undefined;
  const platform = query.get("platform") ?? "";
  if (platform !== "") parsePlatform(platform);
  const auth = headers["x-registry-auth"];
  return stream(
    "application/json",
    await progressStream((progress) =>
      pullImage(
        services.pull,
        { reference, allTags, ...(platform !== "" && { platform }), ...(auth !== undefined && { auth }) },
        progress,
        signal,
      ),
    ),
  );
}

async function load(services: ImageRouteServices, request: ApiRequest): Promise<ApiResponse> {
  const { query, signal } = request;
  const platform = query.get("platform") ?? "";
  return stream(
    "application/json",
    await progressStream((progress) =>
      loadImages(
        services.pull,
        request.bodyStream(),
        { quiet: queryBoolean(query, "quiet"), ...(platform !== "" && { platform }) },
        progress,
        signal,
      ),
    ),
  );
}

/** Newest first; steps without a layer count nothing. Each step is told with the image it gave, as far as they are here. */
function history(images: ImageService, image: ImageRecord): unknown[] {
  const config = images.config(image.id);
  const layers = [...image.layers];
  const steps = (config.history ?? []).map((step) => {
    const layer = step.empty_layer ? undefined : layers.shift();
    return {
      Comment: step.comment ?? "",
      Created: step.created === undefined ? 0 : createdSeconds({ ...image, createdAt: step.created }),
      CreatedBy: step.created_by ?? "",
      Id: "<missing>",
      Size: layer?.sizeBytes ?? 0,
      Tags: null as readonly string[] | null,
    };
  });
  const newestFirst = steps.reverse();
  let known: ImageRecord | undefined = image;
  for (const step of newestFirst) {
    if (!known) break;
    step.Id = known.id;
    const { tags } = shownReferences(referencesOf(images, known.id));
    step.Tags = tags.length > 0 ? tags : null;
    known = known.parent === undefined ? undefined : images.peek(known.parent);
  }
  return newestFirst;
}

/** Dangling images, or with `dangling=false` all that no container uses. */
async function prune({ images, containers }: ImageRouteServices, { query }: ApiRequest): Promise<ApiResponse> {
  const filters = queryFilters(query, ["dangling", "label", "label!", "until"]);
  const all = booleanFilter(filters, "dangling") === false;
  const deleted: unknown[] = [];
  let reclaimed = 0;
  for (const { image, names } of selectImages(images, new Map([...filters].filter(([name]) => name !== "dangling")))) {
    if (!images.peek(image.id) || images.isIntermediate(image.id)) continue; // gone with one that was made from it, or goes with it
    if (!all && names.tags.length > 0) continue;
    if (usersOf(containers, image.id).length > 0 || mountUsersOf(containers, image.id).length > 0) continue;
    const users = (id: string) => [...usersOf(containers, id), ...mountUsersOf(containers, id)];
    const options = { force: true, prune: true };
    if (images.hasChildren(image.id)) {
      for (const name of [...names.tags, ...names.digests]) deleted.push(...(await images.remove(name, options, users)));
      continue;
    }
    deleted.push(...(await images.remove(image.id, options, users)));
    reclaimed += image.sizeBytes;
  }
  images.announcePrune(reclaimed);
  return json(200, { ImagesDeleted: deleted.length > 0 ? deleted : null, SpaceReclaimed: reclaimed });
}
