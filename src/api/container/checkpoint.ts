import type { CheckpointName } from "#engine/container/checkpoint/place.ts";
import type { ContainerService } from "#engine/container/service.ts";
import { EngineError } from "#lib/errors.ts";
import { readJsonBody } from "../decode/request-body.ts";
import { empty, json } from "../http/response.ts";
import { del, get, post, type AnyRoute } from "../http/route.ts";

/** Checkpoints belong to the experimental features of Docker: a daemon without them has the routes, and refuses. */
export function checkpointRoutes({ checkpoints }: ContainerService, experimental: boolean): readonly AnyRoute[] {
  if (!experimental) return [get(ofContainer, refuse), post(ofContainer, refuse), del(ofName, refuse)];
  return [
    get(ofContainer, async ({ params, query }) => {
      const names = await checkpoints.list(params.name, query.get("dir") ?? "");
      return json(
        200,
        names.map((Name) => ({ Name })),
      );
    }),
    post(ofContainer, async (request) => {
      const {
        CheckpointID: checkpoint = "",
        CheckpointDir: directory = "",
        Exit: exit = false,
      } = await readJsonBody("CheckpointCreate", request);
      await checkpoints.create(request.params.name, { checkpoint, directory, exit });
      return empty(201);
    }),
    del(ofName, async ({ params, query }) => {
      await checkpoints.remove(params.name, { checkpoint: params.checkpoint, directory: query.get("dir") ?? "" });
      return empty(204);
    }),
  ];
}

const ofContainer = "/containers/:name/checkpoints";
const ofName = "/containers/:name/checkpoints/:checkpoint";

async function refuse(): Promise<never> {
  throw new EngineError(
    "not_implemented",
    "This experimental feature is disabled by default. Start the Docker daemon in experimental mode in order to enable it.",
  );
}

/**
 * What a container is to go on from; undefined when it begins anew.
 * @param find  looks the container up
 * @throws {EngineError} with Docker's texts
 */
export function startCheckpoint(query: URLSearchParams, experimental: boolean, find: () => unknown): CheckpointName | undefined {
  const checkpoint = query.get("checkpoint") ?? "";
  const directory = query.get("checkpoint-dir") ?? "";
  if (checkpoint !== "" && !experimental) throw new EngineError("invalid", "checkpoint is only supported in experimental mode");
  if (checkpoint !== "") return { checkpoint, directory };
  if (directory === "") return undefined;
  find();
  throw new EngineError("forbidden", "custom checkpointdir is not supported");
}
