import type { ImageTransferDependencies } from "#engine/image/dependencies.ts";
import { importImage } from "#engine/image/import/import.ts";
import { newTag } from "#engine/image/service.ts";
import type { ApiRequest } from "../http/request.ts";
import { stream, type ApiResponse } from "../http/response.ts";
import { progressStream } from "./progress.ts";

/** Source: Engine API, ImageCreate with `fromSrc`. */
export async function importFrom(services: ImageTransferDependencies, request: ApiRequest): Promise<ApiResponse> {
  const { query, signal } = request;
  const repository = query.get("repo") ?? "";
  const wanted = {
    source: query.get("fromSrc") ?? "",
    reference: repository === "" ? undefined : newTag(repository, query.get("tag") ?? ""),
    message: query.get("message") ?? "",
    changes: query.getAll("changes"),
    platform: query.get("platform") ?? "",
  };
  const lines = await progressStream((progress) => importImage(services, wanted, request.bodyStream(), progress, signal));
  return stream("application/json", lines);
}
