import type { ContainerArchives, PathStat } from "#engine/container/archive.ts";
import { EngineError } from "#lib/errors.ts";
import { queryBoolean } from "../decode/query.ts";
import type { ApiRequest } from "../http/request.ts";
import { empty, json, stream, type ApiResponse, type ResponseHeaders } from "../http/response.ts";
import { get, head, put, type AnyRoute } from "../http/route.ts";

/** Files of a container. Source: Engine API, ContainerArchive, ContainerArchiveInfo, PutContainerArchive, ContainerChanges, ContainerExport. */
export function archiveRoutes(archives: ContainerArchives): AnyRoute[] {
  return [
    head("/containers/:name/archive", async (request) => {
      const stat = await archives.stat(request.params.name, pathOf(request), request.signal);
      return empty(200, statHeader(stat));
    }),
    get("/containers/:name/archive", async (request) => {
      const { stat, body } = await archives.read(request.params.name, pathOf(request), request.signal);
      return stream("application/x-tar", body, statHeader(stat));
    }),
    put("/containers/:name/archive", (request) => extract(archives, request)),
    get("/containers/:name/changes", async ({ params, signal }) => {
      const changes = await archives.changes(params.name, signal);
      return json(200, changes.length > 0 ? changes.map(({ path, kind }) => ({ Path: path, Kind: kind })) : null);
    }),
    get("/containers/:name/export", async ({ params, signal }) => {
      const { body } = await archives.export(params.name, signal);
      return stream("application/octet-stream", body);
    }),
  ];
}

async function extract(archives: ContainerArchives, request: ApiRequest<"name">): Promise<ApiResponse> {
  const { params, query, signal } = request;
  const options = {
    noOverwriteDirNonDir: queryBoolean(query, "noOverwriteDirNonDir"),
    copyUidGid: queryBoolean(query, "copyUIDGID"),
  };
  await archives.extract(params.name, pathOf(request), options, request.bodyStream(), signal);
  return empty(200);
}

/** The text is that of dockerd, as it is. */
function pathOf({ query }: ApiRequest): string {
  const path = query.get("path") ?? "";
  if (path === "") throw new EngineError("invalid", "bad parameter: pathcannot be empty");
  if (path.includes("\0")) throw new EngineError("invalid", "bad parameter: path has a NUL byte");
  return path;
}

function statHeader(stat: PathStat): ResponseHeaders {
  return { "X-Docker-Container-Path-Stat": Buffer.from(JSON.stringify(stat)).toString("base64") };
}
