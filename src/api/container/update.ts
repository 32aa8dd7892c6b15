import type { ContainerService } from "#engine/container/service.ts";
import { readJsonBody } from "../decode/request-body.ts";
import type { ApiRequest } from "../http/request.ts";
import { json, type ApiResponse } from "../http/response.ts";
import { apiVersionOf } from "../http/version.ts";

/** Source: Engine API, ContainerUpdate. */
export async function updateContainer(containers: ContainerService, request: ApiRequest<"name">): Promise<ApiResponse> {
  const { PidsLimit, ...rest } = await readJsonBody("ContainerUpdate", request);
  const hasPidsLimit = PidsLimit !== undefined && request.apiVersion >= apiVersionOf(1, 40);
  const warnings = await containers.updates.update(request.params.name, { ...rest, ...(hasPidsLimit && { PidsLimit }) });
  return json(200, { Warnings: warnings.length > 0 ? warnings : null });
}
