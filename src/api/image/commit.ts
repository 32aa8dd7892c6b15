import type { ImageCommits } from "#engine/image/commit/commit.ts";
import { newTag } from "#engine/image/service.ts";
import { queryBoolean } from "../decode/query.ts";
import { readJsonBody } from "../decode/request-body.ts";
import type { ApiRequest } from "../http/request.ts";
import { json, type ApiResponse } from "../http/response.ts";

/** Source: Engine API, ImageCommit. */
export async function commit(commits: ImageCommits, request: ApiRequest): Promise<ApiResponse> {
  const { query, signal } = request;
  const { HostConfig: _host, NetworkingConfig: _networking, ...config } = await readJsonBody("ImageCommit", request);
  const repository = query.get("repo") ?? "";
  const id = await commits.commit(
    {
      container: query.get("container") ?? "",
      reference: repository === "" ? undefined : newTag(repository, query.get("tag") ?? ""),
      comment: query.get("comment") ?? "",
      author: query.get("author") ?? "",
      pauses: (query.get("pause") ?? "") === "" || queryBoolean(query, "pause"),
      changes: query.getAll("changes"),
      config: Object.keys(config).length > 0 ? config : undefined,
    },
    signal,
  );
  return json(201, { Id: id });
}
