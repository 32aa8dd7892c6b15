import type { ContainerService } from "#engine/container/service.ts";
import type { ImageCommits } from "#engine/image/commit/commit.ts";
import type { ImageService } from "#engine/image/service.ts";
import type { Housekeeper } from "#engine/image/housekeeping/housekeeper.ts";
import { loadImages } from "#engine/image/load.ts";
import { parsePlatform } from "#engine/image/platform.ts";
import { imageManifests } from "#engine/image/platforms/manifests.ts";
import type { ImageVerification } from "#engine/image/verify/verify.ts";
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
import { toManifestSummary } from "./manifest-summary.ts";
import { queryPlatform, removedPlatform } from "./platform.ts";
import { progressStream } from "./progress.ts";
import { prune } from "./prune.ts";
import { push } from "./push.ts";
import { referrerRoutes } from "./referrers.ts";
import { registryRoutes } from "./registry-routes.ts";
import { createdSeconds, referencesOf, sharedBytesOf, shownReferences, toImageInspect, toImageSummary, toListed } from "./summary.ts";
import { apiVersionOf } from "../http/version.ts";
import { mountUsersOf, usersOf } from "./users.ts";
import { verifyRoutes } from "./verify.ts";
import { queryBoolean } from "../decode/query.ts";
import { queryFilters } from "../decode/filters.ts";

export interface ImageRouteServices {
  readonly images: ImageService;
  readonly containers: ContainerService;
  readonly pull: PullDependencies;
  readonly push: PushDependencies;
  readonly commits: ImageCommits;
  readonly housekeeper: Housekeeper;
  readonly verification: ImageVerification;
  readonly snapshotter: string;
}

/** Source: Engine API, tag Image. */
export function imageRoutes(services: ImageRouteServices): AnyRoute[] {
  const { images } = services;
  return [
    get("/images/json", (request) => list(services, request)),
    get("/images/get", (request) => save(services.push, request, request.query.getAll("names"))),
    get("/images/:name*/get", (request) => save(services.push, request, [request.params.name])),
    post("/images/create", (request) => create(services, request)),
    post("/images/load", (request) => load(services, request)),
    post("/commit", (request) => commit(services.commits, request)),
    post("/images/prune", (request) => prune(services, request)),
    get("/images/:name*/json", (request) => inspect(services, request)),
    get("/images/:name*/history", ({ params, query, apiVersion }) => {
      const platform = apiVersion >= apiVersionOf(1, 48) ? queryPlatform(query) : undefined;
      return json(200, history(images, images.findFor(params.name, platform)));
    }),
    post("/images/:name*/push", (request) => push(services, request)),
    post("/images/:name*/tag", async ({ params, query }) => {
      await images.tag(params.name, query.get("repo") ?? "", query.get("tag") ?? "");
      return empty(201);
    }),
    del("/images/:name*", (request) => remove(services, request)),
    ...registryRoutes(services),
    ...referrerRoutes(services.pull),
    ...housekeepingRoutes(services.housekeeper),
    ...verifyRoutes(services.verification),
  ];
}

async function inspect(services: ImageRouteServices, { params, query, apiVersion }: ApiRequest<"name">): Promise<ApiResponse> {
  const { images, snapshotter } = services;
  const wantsManifests = apiVersion >= apiVersionOf(1, 48) && queryBoolean(query, "manifests");
  const platform = apiVersion >= apiVersionOf(1, 49) ? queryPlatform(query) : undefined;
  if (wantsManifests && platform)
    throw new EngineError("invalid", "conflicting options: manifests and platform options cannot both be set");
  const image = images.findFor(params.name, platform);
  const shown = toImageInspect(images, image, snapshotter, apiVersion);
  return json(200, wantsManifests ? { ...shown, Manifests: await manifestsOf(services, image) } : shown);
}

async function remove({ images, containers }: ImageRouteServices, { params, query, apiVersion }: ApiRequest<"name">): Promise<ApiResponse> {
  const platform = apiVersion >= apiVersionOf(1, 50) ? removedPlatform(query) : undefined;
  const found = platform && images.findFor(params.name, platform);
  // The image of another platform than the name's own goes by its id: the name stays.
  const name = found && found.id !== images.find(params.name).id ? found.id : params.name;
  const force = queryBoolean(query, "force");
  const removed = await images.remove(name, { force, prune: !queryBoolean(query, "noprune") }, (id) => [
    ...usersOf(containers, id),
    ...(force || isId(name, id) ? [] : mountUsersOf(containers, id)),
  ]);
  return json(200, removed);
}

async function manifestsOf({ images, containers, push: { content } }: ImageRouteServices, image: ImageRecord): Promise<unknown[]> {
  const containersOf = (imageId: string): string[] => usersOf(containers, imageId).map(({ id }) => id);
  return (await imageManifests({ images, content, containersOf }, image)).map(toManifestSummary);
}

function isId(text: string, imageId: string): boolean {
  return imageId.replace("sha256:", "").startsWith(text.replace("sha256:", ""));
}

async function list(services: ImageRouteServices, { query, apiVersion }: ApiRequest): Promise<ApiResponse> {
  const { images, containers } = services;
  const filters = queryFilters(query, ["before", "dangling", "label", "reference", "since", "until"]);
  const sharedBytes = queryBoolean(query, "shared-size") ? sharedBytesOf(images.list()) : (): number => -1;
  const wantsManifests = apiVersion >= apiVersionOf(1, 47) && queryBoolean(query, "manifests");
  const selected = selectImages(images, filters);
  const shown = queryBoolean(query, "all") ? selected : selected.filter(({ image }) => !images.isIntermediate(image.id));
  const listed: unknown[] = [];
  for (const { image, names } of shown) {
    const counts = { containers: usersOf(containers, image.id).length, sharedBytes: sharedBytes(image) };
    const summary = toListed(toImageSummary(images, image, names, counts, apiVersion), apiVersion);
    listed.push(wantsManifests ? { ...summary, Manifests: await manifestsOf(services, image) } : summary);
  }
  return json(200, listed);
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
