import { EngineError } from "#lib/errors.ts";
import { del, get, post, type AnyRoute } from "../http/route.ts";

/** Checkpoints belong to the experimental features of Docker, and this daemon has none: it answers as one without them. */
export const checkpointRoutes: readonly AnyRoute[] = [
  get("/containers/:name/checkpoints", refuse),
  post("/containers/:name/checkpoints", refuse),
  del("/containers/:name/checkpoints/:checkpoint", refuse),
];

async function refuse(): Promise<never> {
  throw new EngineError(
    "not_implemented",
    "This experimental feature is disabled by default. Start the Docker daemon in experimental mode in order to enable it.",
  );
}

/**
 * @param find  looks the container up
 * @throws {EngineError} for a start that is to go on from a checkpoint, with Docker's texts
 */
export function refuseCheckpoint(query: URLSearchParams, find: () => unknown): void {
  if (query.get("checkpoint")) throw new EngineError("invalid", "checkpoint is only supported in experimental mode");
  if (!query.get("checkpoint-dir")) return;
  find();
  throw new EngineError("forbidden", "custom checkpointdir is not supported");
}
