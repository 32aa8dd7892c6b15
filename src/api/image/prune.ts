import type { ContainerService } from "#engine/container/service.ts";
import { planImagePrune, pruneImages, type ImagePrune } from "#engine/image/prune/prune.ts";
import type { ImageService } from "#engine/image/service.ts";
import { booleanFilter, queryFilters, type Filters } from "../decode/filters.ts";
import type { ApiRequest } from "../http/request.ts";
import { json, type ApiResponse } from "../http/response.ts";
import { isDryRun, plannedReport, type PrunePlan } from "../prune/plan.ts";
import { selectImages } from "./filters.ts";
import { mountUsersOf, usersOf, type ImageUser } from "./users.ts";

interface Services {
  readonly images: ImageService;
  readonly containers: ContainerService;
}

export const imagePruneFilters = ["dangling", "label", "label!", "until"];

/** Dangling images, or with `dangling=false` all that no container uses. */
export async function prune({ images, containers }: Services, { query }: ApiRequest): Promise<ApiResponse> {
  const filters = queryFilters(query, imagePruneFilters);
  if (isDryRun(query)) {
    const plan = imagePrunePlan({ images, containers }, filters, new Set());
    return json(200, { ImagesDeleted: plan.deleted.length > 0 ? plan.deleted : null, ...plannedReport(plan) });
  }
  const { removed, freedBytes } = await pruneImages(images, selection(images, filters), (id) => allUsersOf(containers, id));
  images.announcePrune(freedBytes);
  return json(200, { ImagesDeleted: removed.length > 0 ? removed : null, SpaceReclaimed: freedBytes });
}

/** @param without  containers that are taken for removed */
export function imagePrunePlan({ images, containers }: Services, filters: Filters, without: ReadonlySet<string>): PrunePlan {
  const planned = planImagePrune(images, selection(images, filters), (id) => allUsersOf(containers, id), without);
  return {
    deleted: planned.flatMap(({ removed }) => removed),
    items: planned.map(({ image, names, freedBytes }) => ({ Id: image.id, Names: names, Size: freedBytes })),
  };
}

function selection(images: ImageService, filters: Filters): ImagePrune {
  const all = booleanFilter(filters, "dangling") === false;
  const others = new Map([...filters].filter(([name]) => name !== "dangling"));
  return { selected: selectImages(images, others).map(({ image }) => image), all };
}

function allUsersOf(containers: ContainerService, imageId: string): ImageUser[] {
  return [...usersOf(containers, imageId), ...mountUsersOf(containers, imageId)];
}
