import { saveImages, type SaveDependencies } from "#engine/image/save/save.ts";
import type { ApiRequest } from "../http/request.ts";
import { stream, type ApiResponse } from "../http/response.ts";

/** Source: Engine API, ImageGet, ImageGetAll. */
export async function save(services: SaveDependencies, request: ApiRequest, names: readonly string[]): Promise<ApiResponse> {
  const platforms = request.query.getAll("platform").filter((platform) => platform !== "");
  const { sizeBytes, body } = await saveImages(services, { names, platforms }, request.signal);
  return stream("application/x-tar", body, { "Content-Length": String(sizeBytes) });
}
