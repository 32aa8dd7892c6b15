import type { ContainerService } from "#engine/container/service.ts";
import type { ImageService } from "#engine/image/service.ts";
import type { NetworkService } from "#engine/network/service.ts";
import { systemClock } from "#lib/clock.ts";
import type { ContainerRecord } from "#types/record/container.ts";
import type { ContainerSummary } from "#types/engine-api/index.ts";
import { queryFilters } from "../decode/filters.ts";
import { queryBoolean, queryInteger } from "../decode/query.ts";
import type { ApiRequest } from "../http/request.ts";
import { bytes, json, type ApiResponse } from "../http/response.ts";
import { apiVersionOf } from "../http/version.ts";
import { containerFilters, listContainers } from "./filters.ts";
import { ListAnswers } from "./list-answers.ts";
import { statusesStayUntil, toSummary } from "./summary.ts";

export interface ListServices {
  readonly containers: ContainerService;
  readonly images: ImageService;
  readonly networks: NetworkService;
}

/** Source: Engine API, ContainerList. */
export function containerList(services: ListServices): (request: ApiRequest) => Promise<ApiResponse> {
  const answers = new ListAnswers();
  return async (request) => {
    const { containers } = services;
    const { revision } = containers;
    const now = systemClock.nowNano();
    const key = `${request.apiVersion} ${request.query.toString()}`;
    const known = answers.find(key, revision, now);
    if (known) return bytes(200, "application/json", known);
    const answer = json(200, await list(services, request, now));
    // What is written in a container, and what its health check finds, changes without a record of it.
    const all = containers.list();
    const isTold = !queryBoolean(request.query, "size") && !all.some((record) => containers.health.of(record) !== undefined);
    if (isTold && typeof answer.body === "string")
      answers.keep(key, revision, { body: Buffer.from(answer.body), untilNano: statusesStayUntil(all, now) });
    return answer;
  };
}

async function list(services: ListServices, { query, apiVersion }: ApiRequest, now: bigint): Promise<ContainerSummary[]> {
  const { containers, images } = services;
  const filters = queryFilters(query, containerFilters);
  const limit = queryInteger(query, "limit") ?? 0;
  const records = listContainers(containers.list(), filters, { all: queryBoolean(query, "all"), limit, services });
  const withSize = queryBoolean(query, "size");
  return Promise.all(
    records.map(async (record) =>
      toSummary(record, services, {
        now,
        imageName: shownImage(images, record),
        size: withSize ? await sizesOf(services, record) : undefined,
        showsHealth: apiVersion >= apiVersionOf(1, 52),
      }),
    ),
  );
}

/** The name it was made from while that still means this image, else the image's id. */
function shownImage(images: ImageService, record: ContainerRecord): string {
  const asked = record.config.Image ?? "";
  if (/^(sha256:)?[0-9a-f]{12,64}$/.test(asked)) return asked;
  try {
    const image = images.lookup(asked);
    if (image?.id === record.imageId) return asked;
    return image ? record.imageId : asked;
  } catch {
    return asked; // a reference of an older grammar
  }
}

/** What it has written, and that with its image. */
export async function sizesOf(
  { containers, images }: Pick<ListServices, "containers" | "images">,
  record: ContainerRecord,
): Promise<{ rw: number; rootFs: number }> {
  const { sizeBytes } = await containers.size(record.id);
  return { rw: sizeBytes, rootFs: sizeBytes + (images.peek(record.imageId)?.sizeBytes ?? 0) };
}
