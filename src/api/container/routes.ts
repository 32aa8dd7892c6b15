import type { ContainerArchives } from "#engine/container/archive.ts";
import type { ContainerService } from "#engine/container/service.ts";
import type { ImageService } from "#engine/image/service.ts";
import type { NetworkService } from "#engine/network/service.ts";
import type { ExecService } from "#engine/exec/service.ts";
import { EngineError } from "#lib/errors.ts";
import type { ApiRequest } from "../http/request.ts";
import { empty, json, type ApiResponse } from "../http/response.ts";
import { del, get, post, upgrade, type AnyRoute } from "../http/route.ts";
import { apiVersionOf } from "../http/version.ts";
import { acceptWebSocket } from "../http/web-socket.ts";
import { archiveRoutes } from "./archive.ts";
import { attachContainer } from "./attach.ts";
import { checkpointRoutes, startCheckpoint } from "./checkpoint.ts";
import { toInspect } from "./inspect.ts";
import { containerList, sizesOf } from "./list.ts";
import { containerLogs } from "./logs.ts";
import { refuseNewerMounts } from "./mount-versions.ts";
import { prune } from "./prune.ts";
import { containerStats } from "./stats.ts";
import { updateContainer } from "./update.ts";
import { waitForContainer } from "./wait.ts";
import { queryBoolean, queryInteger, queryTerminalSize } from "../decode/query.ts";
import { readJsonBody } from "../decode/request-body.ts";

export interface ContainerRouteServices {
  readonly containers: ContainerService;
  readonly archives: ContainerArchives;
  readonly execs: ExecService;
  readonly images: ImageService;
  readonly networks: NetworkService;
  readonly experimental: boolean;
}

/** All operations on containers. Source: Engine API, tag Container. */
export function containerRoutes(services: ContainerRouteServices): AnyRoute[] {
  const { containers, experimental } = services;
  return [
    get("/containers/json", containerList(services)),
    post("/containers/create", (request) => create(services, request)),
    post("/containers/prune", (request) => prune(services, request)),
    get("/containers/:name*/json", (request) => inspect(services, request)),
    post("/containers/:name/start", async ({ params, query, headers }) => {
      refuseStartBody(headers);
      const checkpoint = startCheckpoint(query, experimental, () => containers.find(params.name));
      return empty204(containers.start(params.name, checkpoint));
    }),
    post("/containers/:name/stop", async ({ params, query }) => empty204(containers.stop(params.name, stopOptions(query)))),
    post("/containers/:name/restart", async ({ params, query }) => empty204(containers.restart(params.name, stopOptions(query)))),
    post("/containers/:name/kill", async ({ params, query }) => empty204(containers.kill(params.name, query.get("signal") ?? ""))),
    post("/containers/:name/pause", async ({ params }) => empty204(containers.pause(params.name))),
    post("/containers/:name/unpause", async ({ params }) => empty204(containers.unpause(params.name))),
    post("/containers/:name/rename", async ({ params, query }) => empty204(containers.rename(params.name, query.get("name") ?? ""))),
    post("/containers/:name/update", (request) => updateContainer(containers, request)),
    post("/containers/:name/resize", async ({ params, query }) => {
      const { width, height } = queryTerminalSize(query);
      await containers.resize(params.name, width, height);
      return empty(200);
    }),
    post("/containers/:name/wait", (request) => waitForContainer(containers, request)),
    get("/containers/:name/top", async ({ params, query }) => {
      const { titles, processes } = await containers.top(params.name, query.get("ps_args") ?? "");
      return json(200, { Titles: titles, Processes: processes });
    }),
    ...checkpointRoutes(containers, experimental),
    ...archiveRoutes(services.archives),
    get("/containers/:name/stats", (request) => containerStats(containers, request)),
    get("/containers/:name*/logs", (request) => containerLogs(containers, request)),
    upgrade("/containers/:name/attach", (request, stream) =>
      attachContainer(containers, request, async (contentType, headers) => {
        await stream.accept(contentType, { headers });
        return stream;
      }),
    ),
    upgrade(
      "/containers/:name/attach/ws",
      (request, stream) => attachContainer(containers, request, () => acceptWebSocket(request, stream), { framed: false }),
      { method: "GET" },
    ),
    del("/containers/:name*", async ({ params, query }) => {
      if (queryBoolean(query, "link")) return empty204(containers.removeLink(params.name));
      return empty204(containers.remove(params.name, { force: queryBoolean(query, "force"), volumes: queryBoolean(query, "v") }));
    }),
  ];
}

/** `{}` is let pass: older clients send it. A configuration belongs to create, where it was refused or heeded. */
function refuseStartBody(headers: ApiRequest["headers"]): void {
  const sizeBytes = headers["transfer-encoding"] === undefined ? Number(headers["content-length"] ?? 0) : Infinity;
  if (sizeBytes <= longestEmptyObject) return;
  throw new EngineError("invalid", "starting container with non-empty request body was deprecated since API v1.22 and removed in v1.24");
}

/** The shortest object with a field, `{"a":1}`, is as long. */
const longestEmptyObject = 7;

async function empty204(done: Promise<void>): Promise<ApiResponse> {
  await done;
  return empty(204);
}

function stopOptions(query: URLSearchParams): { signal?: string; timeoutSeconds?: number } {
  const signal = query.get("signal") ?? "";
  const timeoutSeconds = queryInteger(query, "t");
  return { ...(signal !== "" && { signal }), ...(timeoutSeconds !== undefined && { timeoutSeconds }) };
}

async function create({ containers }: ContainerRouteServices, request: ApiRequest): Promise<ApiResponse> {
  const body = await readJsonBody("ContainerCreate", request);
  const { HostConfig: _host, NetworkingConfig: _networking, ...config } = body;
  if (Object.keys(config).length === 0) throw new EngineError("invalid", "config cannot be empty in order to create a container");
  const { apiVersion, query } = request;
  refuseNewerMounts(body.HostConfig, apiVersion);
  const name = query.get("name") ?? "";
  const platform = query.get("platform") ?? "";
  const { id, warnings } = await containers.create(body, {
    ...(name !== "" && { name }),
    ...(platform !== "" && apiVersion >= apiVersionOf(1, 41) && { platform }),
    defaultIpcMode: apiVersion < apiVersionOf(1, 40) ? "shareable" : "private",
    multipleNetworks: apiVersion >= apiVersionOf(1, 44),
    endpointMacAddresses: apiVersion >= apiVersionOf(1, 44),
    recursiveReadOnlyBinds: apiVersion >= apiVersionOf(1, 44),
  });
  return json(201, { Id: id, Warnings: warnings });
}

async function inspect(services: ContainerRouteServices, { params, query }: ApiRequest<"name">): Promise<ApiResponse> {
  const { containers, execs } = services;
  const record = containers.find(params.name);
  const size = queryBoolean(query, "size") ? await sizesOf(services, record) : undefined;
  return json(200, toInspect(record, services, { execIds: execs.ofContainer(record.id), ...(size && { size }) }));
}
