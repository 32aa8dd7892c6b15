import type { PullDependencies } from "#engine/image/dependencies.ts";
import { fetchReferrers } from "#engine/image/referrers/fetch.ts";
import { listReferrers, type ReferrersRequest } from "#engine/image/referrers/list.ts";
import { queryBoolean, queryText } from "../decode/query.ts";
import type { ApiRequest } from "../http/request.ts";
import { json, stream } from "../http/response.ts";
import { get, post, type AnyRoute } from "../http/route.ts";
import { progressStream } from "./progress.ts";

/** What refers to an image: our own routes, which no Docker client asks for. */
export function referrerRoutes(deps: PullDependencies): AnyRoute[] {
  return [
    get("/gantry/images/:name*/referrers", async (request) => {
      const listed = await listReferrers(deps, questionOf(request), request.signal);
      return json(
        200,
        listed.map(({ descriptor, subject, isHere, isInRegistry }) => ({
          Digest: descriptor.digest,
          MediaType: descriptor.mediaType,
          ArtifactType: descriptor.artifactType ?? "",
          Size: descriptor.size,
          Annotations: descriptor.annotations ?? {},
          Subject: subject,
          Local: isHere,
          Remote: isInRegistry,
        })),
      );
    }),
    post("/gantry/images/:name*/referrers", async (request) => {
      const messages = progressStream((progress) => fetchReferrers(deps, questionOf(request), progress, request.signal));
      return stream("application/json", await messages);
    }),
  ];
}

function questionOf({ params, query, headers }: ApiRequest<"name">): ReferrersRequest {
  const artifactType = queryText(query, "artifact-type");
  const auth = headers["x-registry-auth"];
  return {
    image: params.name,
    isLocal: queryBoolean(query, "local"),
    ...(artifactType !== undefined && { artifactType }),
    ...(auth !== undefined && { auth }),
  };
}
