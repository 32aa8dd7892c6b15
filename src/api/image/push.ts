import { pushImage } from "#engine/image/push.ts";
import { parseReference, withTag } from "#lib/reference.ts";
import type { ApiRequest } from "../http/request.ts";
import { stream, type ApiResponse } from "../http/response.ts";
import { apiVersionOf } from "../http/version.ts";
import { queryPlatform } from "./platform.ts";
import { progressStream } from "./progress.ts";
import type { ImageRouteServices } from "./routes.ts";

/** Pushes a tag, or without the parameter `tag` all that the repository has here. */
export async function push({ push: deps }: ImageRouteServices, request: ApiRequest<"name">): Promise<ApiResponse> {
  const { params, query, headers, signal, apiVersion } = request;
  const tag = query.get("tag") ?? "";
  const named = parseReference(params.name);
  const reference = tag === "" ? named : withTag(named, tag);
  // Before 1.46 clients sent the parameter of pulls here, which said nothing.
  const platform = apiVersion >= apiVersionOf(1, 46) ? queryPlatform(query) : undefined;
  const auth = headers["x-registry-auth"];
  return stream(
    "application/json",
    await progressStream((progress) =>
      pushImage(deps, { reference, ...(platform && { platform }), ...(auth !== undefined && { auth }) }, progress, signal),
    ),
  );
}
