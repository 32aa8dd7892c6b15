import type { ExecService } from "#engine/exec/service.ts";
import type { ContainerService } from "#engine/container/service.ts";
import { hijackedContentType } from "../container/attach.ts";
import type { HijackedStream } from "../http/hijacked-stream.ts";
import type { ApiRequest } from "../http/request.ts";
import { empty, json, type ApiResponse } from "../http/response.ts";
import { get, post, upgrade, type AnyRoute } from "../http/route.ts";
import { queryBoolean, queryTerminalSize } from "../decode/query.ts";
import { readJsonBody } from "../decode/request-body.ts";

/** Source: Engine API, tag Exec. */
export function execRoutes(execs: ExecService, containers: ContainerService): AnyRoute[] {
  return [
    post("/containers/:name/exec", (request) => create(execs, request)),
    upgrade("/exec/:id/start", (request, stream) => start(execs, request, stream)),
    post("/exec/:id/resize", async ({ params, query, signal }) => {
      const { width, height } = queryTerminalSize(query);
      await execs.resize(params.id, width, height, signal);
      return empty(200);
    }),
    get("/exec/:id/json", ({ params }) => inspect(execs, containers, params.id)),
  ];
}

async function create(execs: ExecService, request: ApiRequest<"name">): Promise<ApiResponse> {
  const body = await readJsonBody("ContainerExec", request);
  const size = body.ConsoleSize;
  const id = execs.create(request.params.name, {
    command: body.Cmd ?? [],
    environment: body.Env ?? [],
    workingDirectory: body.WorkingDir ?? "",
    user: body.User ?? "",
    privileged: body.Privileged ?? false,
    tty: body.Tty ?? false,
    attachStdin: body.AttachStdin ?? false,
    attachStdout: body.AttachStdout ?? false,
    attachStderr: body.AttachStderr ?? false,
    detachKeys: body.DetachKeys ?? "",
    ...(size && size[0] !== undefined && size[1] !== undefined && { consoleSize: [size[0], size[1]] as const }),
  });
  return json(201, { Id: id });
}

/** Detached (in the body, or as older clients say it, in the query) answers at once; else the connection becomes the streams. */
async function start(execs: ExecService, request: ApiRequest<"id">, stream: HijackedStream): Promise<ApiResponse | void> {
  const { params, query, signal } = request;
  const body = await readJsonBody("ExecStart", request);
  const exec = execs.find(params.id);
  // Without a terminal a size means nothing.
  const size = body.Tty ? body.ConsoleSize : undefined;
  if (body.Detach || queryBoolean(query, "detach")) {
    await execs.startDetached(params.id);
    return empty(200);
  }
  const tty = exec.config.tty;
  await execs.startAttached(
    params.id,
    { tty, ...(size && size[0] !== undefined && size[1] !== undefined && { consoleSize: [size[0], size[1]] as const }) },
    async () => {
      await stream.accept(hijackedContentType(request, tty));
      return stream;
    },
    signal,
  );
}

function inspect(execs: ExecService, containers: ContainerService, id: string): ApiResponse {
  const exec = execs.find(id);
  const { config } = exec;
  const [entrypoint = "", ...args] = config.command;
  return json(200, {
    ID: exec.id,
    Running: exec.running,
    ExitCode: exec.exitCode ?? null,
    ProcessConfig: {
      tty: config.tty,
      entrypoint,
      arguments: args,
      privileged: config.privileged,
      ...(config.user && { user: config.user }),
    },
    OpenStdin: config.attachStdin,
    OpenStderr: config.attachStderr,
    OpenStdout: config.attachStdout,
    CanRemove: false,
    ContainerID: containers.find(exec.containerId).id,
    DetachKeys: config.detachKeys,
    Pid: exec.pid,
  });
}
