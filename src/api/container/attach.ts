import { parseDetachKeys } from "#engine/container/detach-keys.ts";
import type { ClientStream } from "#engine/container/attachment.ts";
import type { ContainerService } from "#engine/container/service.ts";
import type { ApiRequest } from "../http/request.ts";
import { apiVersionOf } from "../http/version.ts";
import { queryBoolean } from "../decode/query.ts";
import type { ResponseHeaders } from "../http/response.ts";

/** Content type of output: raw with a terminal, else frames; one name for both before 1.42. */
export function streamContentType(request: Pick<ApiRequest, "apiVersion">, tty: boolean): string {
  const named = !tty && request.apiVersion >= apiVersionOf(1, 42);
  return named ? "application/vnd.docker.multiplexed-stream" : "application/vnd.docker.raw-stream";
}

/** The same for a connection that becomes a stream: a client that asks for no upgrade is not told of frames. */
export function hijackedContentType(request: Pick<ApiRequest, "apiVersion" | "headers">, tty: boolean): string {
  return streamContentType(request, tty || request.headers["upgrade"] === undefined);
}

/** Source: Engine API, ContainerAttach and ContainerAttachWebsocket. `start` is our own: it spares a client two requests. */
export async function attachContainer(
  containers: ContainerService,
  request: ApiRequest<"name">,
  accept: (contentType: string, headers: ResponseHeaders) => Promise<ClientStream>,
  options: { readonly framed: boolean } = { framed: true },
): Promise<void> {
  const { params, query, signal } = request;
  const stdout = queryBoolean(query, "stdout");
  const stderr = queryBoolean(query, "stderr");
  const stdin = queryBoolean(query, "stdin");
  await containers.attach(
    params.name,
    {
      stdin,
      // A websocket that names no stream wants all of them.
      ...(options.framed || stdin || stdout || stderr ? { stdout, stderr } : { stdout: true, stderr: true }),
      stream: queryBoolean(query, "stream"),
      logs: queryBoolean(query, "logs"),
      start: queryBoolean(query, "start"),
      framed: options.framed,
      detachKeys: parseDetachKeys(query.get("detachKeys") ?? ""),
    },
    // A client that asked for the start learns by this that the daemon knows what it meant.
    (tty) => accept(hijackedContentType(request, tty), queryBoolean(query, "start") ? { "Gantry-Started": "true" } : {}),
    signal,
  );
}
